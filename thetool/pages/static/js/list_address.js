/** A list's page keeps its filters and its place in the address, so that a view can be kept and shared. */

import { pathOf } from "./api.js";
import { find } from "./dom.js";

/** The query of the page's address. */
export const wanted = () => new URLSearchParams(location.search);

/** The page's address with some of its query changed; null takes a name away. */
export function address(changes) {
  const query = wanted();
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  return query.size ? `${location.pathname}?${query}` : location.pathname;
}

/** The query for the API: `first`, and what the address has of `names`. */
export function asked(names, first) {
  const query = new URLSearchParams(first);
  for (const name of names) if (wanted().get(name)) query.set(name, wanted().get(name));
  return query;
}

/** Show the links to the newest page and to the one after this, where `next` is the API's address of that. */
export function showPages(next) {
  find("#newest").hidden = !wanted().get("cursor");
  find("#newest").href = address({ cursor: null });
  find("#older").hidden = !next;
  if (next) find("#older").href = address({ cursor: new URLSearchParams(pathOf(next).split("?")[1]).get("cursor") });
}
