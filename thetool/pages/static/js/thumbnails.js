/** Small pictures of photos that are still on this computer, drawn one after the other so that the page stays quick. */

import { el, icon } from "./dom.js";
import { kindOf } from "./content_kind.js";

const SIDE = 96; // CSS pixels
const LARGEST = 40 * 2 ** 20; // a larger file is not decoded for a small picture

let queue = Promise.resolve();

/** A square that shows `file`: its picture as soon as it is drawn, else the icon of a file. */
export function thumbnail(file) {
  const node = placeholder(kindOf(file));
  if (kindOf(file) === "image" && file.size <= LARGEST) queue = queue.then(() => draw(node, file));
  return node;
}

/** The icon of a kind of content, in the room of a picture. */
export const placeholder = (kind) =>
  el("span", { class: "thumb", "aria-hidden": "true" }, icon(kind === "image" ? "photo" : "file"));

/** The same of a picture that the service has. */
export function thumbnailOf(address) {
  return el("span", { class: "thumb", "aria-hidden": "true" }, el("img", { src: address, alt: "", loading: "lazy" }));
}

async function draw(node, file) {
  if (!node.isConnected) return; // taken away before its turn came
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return; // of a format that this browser does not show; the service may read it
  }
  const side = SIDE * Math.min(2, devicePixelRatio);
  const scale = Math.max(side / bitmap.width, side / bitmap.height);
  const canvas = el("canvas", { width: side, height: side });
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height);
  bitmap.close();
  node.replaceChildren(canvas);
}
