/** What kind of content a file is, as far as its name and its declared type tell; the service judges by its bytes. */

const PICTURES = /\.(jpe?g|png|webp|gif|bmp|tiff?|heic|heif|avif)$/i;
const TABLES = /\.(csv|tsv|tab|psv|jsonl|ndjson|parquet|xlsx|ods)(\.gz|\.zip)?$/i;
const TABLE_TYPES = /^(text\/(csv|tab-separated-values)|application\/(vnd\.ms-excel|x-ndjson|.+spreadsheet.*|.+parquet))$/;

/** "image", "table" or "text", as the API calls them. An SVG is text: it is drawn by its reader, and holds no pixels. */
export function kindOf({ name, type }) {
  if (type === "image/svg+xml") return "text";
  if (type.startsWith("image/") || PICTURES.test(name)) return "image";
  return TABLE_TYPES.test(type) || TABLES.test(name) ? "table" : "text";
}
