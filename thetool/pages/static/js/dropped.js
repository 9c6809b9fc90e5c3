/** Files that are dropped onto the page or pasted into it; a folder gives what is in it. */

const MOST = 1000; // of a folder; a home directory dropped by mistake ends somewhere

/** The files of a drop or a paste, in the order of their names where they come out of a folder. */
export async function filesOf(transfer) {
  const items = [...(transfer.items ?? [])].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const found = [];
  for (const entry of entries.filter(Boolean)) await gather(entry, found);
  return found;
}

async function gather(entry, found) {
  if (found.length >= MOST || entry.name.startsWith(".")) return;
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const inside = [];
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) break;
    inside.push(...some);
  }
  inside.sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
  for (const each of inside) await gather(each, found);
}

export const holdsFiles = (transfer) => Boolean(transfer?.types.includes("Files"));
