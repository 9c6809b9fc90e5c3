/** How far the outputs of two versions of a model are apart. */

const SPECIAL = { NaN, Infinity, "-Infinity": -Infinity }; // as JSON has them: strings

/**
 * Compare two answers of predict routes, output by output.
 * @returns {{name: string, missing?: boolean, alike?: boolean, numeric?: boolean, values?: number, apart?: number,
 *   largest?: number, place?: (number | string)[], pair?: any[]}[]} `missing`: only one of them has it; `alike`: their lists
 *   are of the same lengths; `apart`: so many of the values differ, the farthest (of numbers; else the first) is `pair` at `place`
 */
export function differences(one, other) {
  const [first, second] = [one, other].map(({ output_data: outputs, predictions }) => outputs ?? { predictions });
  return [...new Set([...Object.keys(first), ...Object.keys(second)])].map((name) => {
    if (!(name in first) || !(name in second)) return { name, missing: true };
    const found = { name, alike: true, numeric: true, values: 0, apart: 0, largest: 0, place: [], pair: null };
    walk(first[name], second[name], [], found);
    return found;
  });
}

function walk(a, b, place, found) {
  const [inner, others] = [a, b].map((value) => (value !== null && typeof value === "object" ? Object.keys(value) : null));
  if (!inner && !others) note(a, b, place, found);
  else if (!inner || !others || inner.length !== others.length || !inner.every((key) => key in b)) found.alike = false;
  else for (const key of inner) walk(a[key], b[key], [...place, key], found);
}

function note(a, b, place, found) {
  found.values += 1;
  if (![a, b].every(isNumber)) found.numeric = false;
  if (a === b) return;
  found.apart += 1;
  const far = distance(a, b);
  if (found.pair && !(far > found.largest)) return;
  Object.assign(found, { largest: far, place, pair: [a, b] });
}

const isNumber = (value) => typeof value === "number" || Object.hasOwn(SPECIAL, value);

/** Of numbers; what is no number, or infinite, is infinitely far from all others. */
function distance(a, b) {
  const [first, second] = [a, b].map((value) => (typeof value === "number" ? value : (SPECIAL[value] ?? NaN)));
  return Number.isFinite(first) && Number.isFinite(second) ? Math.abs(first - second) : Infinity;
}
