// Run in the page: what a person with weak eyes, or a narrow screen, would stumble over. Gives a list of sentences.

const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });

function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
}

const over = ([r, g, b, a], below) => [r, g, b].map((part, place) => part * a + below[place] * (1 - a));

function background(node) {
  const layers = [];
  for (let element = node; element; element = element.parentElement) {
    const layer = rgba(getComputedStyle(element).backgroundColor);
    if (layer[3] > 0) layers.push(layer);
    if (layer[3] === 1) break;
  }
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function visible(node) {
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  return style.visibility === "visible" && box.width > 1 && box.height > 1;
}

const named = (node) => `${node.tagName.toLowerCase()}.${node.className || "-"} "${(node.textContent || node.value || "").trim().slice(0, 40)}"`;
const found = [];

function judge(node, colour, least, what) {
  const below = background(node);
  const ratio = contrast(over(rgba(colour), below), below);
  if (ratio < least) found.push(`${what} of ${named(node)}: ${ratio.toFixed(2)}, needs ${least}`);
}

for (const node of document.body.querySelectorAll("*")) {
  if (!visible(node) || node.closest("svg")) continue;
  const style = getComputedStyle(node);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const hasText = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
  if (hasText) judge(node, style.color, large ? 3 : 4.5, "text");
  if (node.placeholder) judge(node, getComputedStyle(node, "::placeholder").color, 4.5, "placeholder");
  if (node.matches("input[type=text], input[type=password], select, .button:not(.bare):not(.main), .drop")) {
    judge(node.parentElement, style.borderTopColor, 3, `border of ${named(node)} on`);
  }
  if (node.matches(".dot, .track > span, .balance > span")) judge(node.parentElement, style.backgroundColor === "rgba(0, 0, 0, 0)" ? style.borderTopColor : style.backgroundColor, 3, "mark");
}
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide on a screen of ${root.clientWidth}`);
return found;
