/** What kind of content a file is, as far as its name and its declared type tell; the service judges by its bytes. */

const PICTURES = /\.(jpe?g|png|webp|gif|bmp|tiff?|heic|heif|avif)$/i;

/** "image" or "text", as the API calls them. An SVG is text: it is drawn by its reader, and holds no pixels. */
export function kindOf({ name, type }) {
  if (type === "image/svg+xml") return "text";
  return type.startsWith("image/") || PICTURES.test(name) ? "image" : "text";
}
