/** Building and finding nodes. Data only ever becomes text or attribute values here, never markup. */

const SVG = "http://www.w3.org/2000/svg";
const SPRITE = new URL("../icons.svg", import.meta.url).href;

export const find = (selector, within = document) => within.querySelector(selector);
export const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

/**
 * Make an element. Attributes that are null, undefined or false are left out and true is the empty value; `on` holds
 * listeners and `vars` CSS custom properties. Children are nodes or text; null ones are left out.
 */
export function el(tag, { on = {}, vars = {}, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  for (const [name, value] of Object.entries(vars)) node.style.setProperty(`--${name}`, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/** Change a node's text only when it differs, so that a selection or a screen reader is not disturbed. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
