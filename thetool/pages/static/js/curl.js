/** The same request as a line for a shell, so that a person learns the API from the page. */

import { find, say } from "./dom.js";
import { copyButton } from "./clipboard.js";

const LONGEST_SHOWN = 1200;

/** Quote `text` for a POSIX shell. */
export const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** A file's name as curl's -F takes it, which reads `;` and `,` as its own unless the name is in quotes. */
const forForm = (name) => (/[;,"]|^\s|\s$/.test(name) ? `"${name.replaceAll(/["\\]/g, "\\$&")}"` : name);

/**
 * The curl line of a request.
 * @param {string} path the path with its query
 * @param {{json?: object, body?: string, type?: string, files?: [string, string][], form?: [string, string][]}} request
 * what is posted: `body` as it is (`@name` is a file), which `type` says what it is; files are pairs of a field and a
 * name; nothing is a GET
 */
export function curl(path, { json, body, type, files = [], form = [] } = {}) {
  const parts = [`curl ${quote(location.origin + path)}`];
  parts.push('-H "Authorization: Bearer $THETOOL_API_KEY"');
  if (json) parts.push("-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(json))}`);
  if (body !== undefined) parts.push(`-H ${quote(`Content-Type: ${type}`)}`, `--data-binary ${quote(body)}`);
  for (const [field, name] of files) parts.push(`-F ${quote(`${field}=@${forForm(name)}`)}`);
  for (const [name, value] of form) parts.push(`--form-string ${quote(`${name}=${value}`)}`);
  return parts.join(" \\\n  ");
}

/** Fill the page's request box; what is very long is shown cut, and copied whole. */
export function showRequest(line) {
  const box = find("#request");
  say(
    find("pre", box),
    line.length > LONGEST_SHOWN
      ? `${line.slice(0, LONGEST_SHOWN)} … (the copy has all ${line.length} characters)`
      : line,
  );
  box.line = line;
  if (!find("button", box)) find(".end", box).append(copyButton(() => box.line, "Copy the request", "Copy"));
}
