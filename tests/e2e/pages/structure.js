// What a page must have for those who do not see it or do not point at it; gives what is wrong, as words.
const wrong = [];
const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(".unseen");
const all = (selector) => [...document.querySelectorAll(selector)];
const opening = (node) => node.outerHTML.slice(0, 90);

const ids = all("[id]").map((node) => node.id);
for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) wrong.push(`two of id ${id}`);
for (const name of ["aria-labelledby", "aria-describedby", "for"]) {
  for (const node of all(`[${name}]`)) {
    for (const id of node.getAttribute(name).split(" ")) if (!ids.includes(id)) wrong.push(`${name}: no ${id}`);
  }
}

let level = 0;
for (const heading of all("h1, h2, h3, h4").filter(shown)) {
  if (Number(heading.tagName[1]) > level + 1) wrong.push(`a level of heading is left out: ${opening(heading)}`);
  level = Number(heading.tagName[1]);
}

const SMALLEST = 24; // px; WCAG 2.2, 2.5.8: links inside a sentence may be smaller, and the browser's own boxes
for (const node of all("a, button, input, select, textarea, summary").filter(shown)) {
  const { width, height } = node.getBoundingClientRect();
  const free = getComputedStyle(node).display === "inline" || ["checkbox", "radio"].includes(node.type);
  if (!free && (width < SMALLEST || height < SMALLEST)) wrong.push(`${width} x ${height}: ${opening(node)}`);
}

for (const node of all("main *")) {
  const scrolls = node.scrollWidth > node.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(node).overflowX);
  const reached = node.matches("[tabindex]") || node.querySelector("a, button, input");
  if (scrolls && !reached) wrong.push(`scrolls, but not by the keyboard: ${opening(node)}`);
}

for (const bar of all("[role=progressbar], [role=meter]").filter(shown)) {
  if (!bar.ariaLabel || !bar.ariaValueNow) wrong.push(`a bar without a name or a value: ${opening(bar)}`);
}
for (const cell of all("th:not([scope])")) wrong.push(`th without a scope: ${opening(cell)}`);
for (const image of all("svg:not([aria-hidden=true]), img:not([alt])")) wrong.push(`an image that says nothing: ${opening(image)}`);
for (const node of all("[tabindex]")) if (node.tabIndex > 0) wrong.push(`an order of its own: ${opening(node)}`);
if (all("main").length !== 1) wrong.push("not one main");
if (!document.title.includes(" · TheTool")) wrong.push("no title");
if (document.documentElement.scrollWidth > innerWidth) wrong.push("wider than the window");
return wrong;
