/** Scales and ticks of a market's chart: from values to pixels, and where a line and its label stand. */

/** From values between `low` and `high` to pixels between `bottom` and `top`. */
export function scale(low, high, bottom, top) {
  const spread = high - low || 1;
  return (value) => bottom - ((value - low) / spread) * (bottom - top);
}

/** The least and the greatest of all values of these lists from `start` on; null is nothing. */
export function extent(lists, start) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (let place = start; place < list.length; place++) {
      const value = list[place];
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low > high ? [0, 1] : [low, high];
}

/** Round values between low and high, at most `most` of them, each with its words. */
export function ticks(low, high, most) {
  const rough = (high - low || Math.abs(high) || 1) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((one) => one >= rough * 0.999);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (step / power === 2.5 ? 1 : 0));
  const words = new Intl.NumberFormat("en", { minimumFractionDigits: Math.min(places, 12), maximumFractionDigits: Math.min(places, 12) });
  const found = [];
  for (let number = Math.ceil(low / step - 1e-9); number * step <= high * (1 + 1e-12) + step * 1e-9; number++) {
    found.push({ value: number * step, words: words.format(number * step) });
  }
  return found;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const month = (date) => MONTHS[Number(date.slice(5, 7)) - 1];
// from fine to coarse: how much of a date must be the same, and what the first of each is called
const UNITS = [
  [16, (date) => date.slice(11, 16)],
  [13, (date) => `${date.slice(11, 13)}:00`],
  [10, (date) => `${Number(date.slice(8, 10))} ${month(date)}`],
  [7, (date) => (date.slice(5, 7) === "01" ? date.slice(0, 4) : month(date))],
  [4, (date) => date.slice(0, 4)],
];

/** Where a new day, month or year begins among dates from `start` on: at most `most` places, each with its words. */
export function dateTicks(dates, start, most) {
  const beginnings = UNITS.filter(([length]) => dates[start].length >= length).map(([length, words]) => {
    const places = [];
    for (let place = start + 1; place < dates.length; place++) {
      if (dates[place].slice(0, length) !== dates[place - 1].slice(0, length)) places.push({ place, words: words(dates[place]) });
    }
    return places;
  });
  const enough = beginnings.find((places) => places.length <= most && places.length >= 3);
  if (enough) return enough;
  const finer = beginnings.findLast((places) => places.length > most) ?? beginnings[0];
  const each = Math.max(1, Math.ceil(finer.length / Math.max(1, most)));
  return finer.filter((_, number) => number % each === 0);
}
