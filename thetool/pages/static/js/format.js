/** Numbers, sizes, durations and times as people read them. */

const grouped = new Intl.NumberFormat("en");
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

export const count = (number) => grouped.format(number);

/** "1 sentence", "2 sentences". */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

export const signed = (number, digits = 2) =>
  (number > 0 ? "+" : number < 0 ? "−" : "") + Math.abs(number).toFixed(digits);

/** A share, rounded as everywhere; what is there is never "0 %". */
export const percent = (fraction) => (fraction > 0 && fraction < 0.005 ? "< 1 %" : `${Math.round(fraction * 100)} %`);

/** How far something is: cut, because 100 % is done. */
export const progress = (fraction) => `${Math.floor(fraction * 100)} %`;

export function bytes(size) {
  if (size < 1024) return counted(size, "byte");
  const power = Math.min(3, Math.floor(Math.log2(size) / 10));
  return `${(size / 1024 ** power).toFixed(size < 10 * 1024 ** power ? 1 : 0)} ${["", "KiB", "MiB", "GiB"][power]}`;
}

export function duration(milliseconds) {
  if (milliseconds > 0 && milliseconds < 1) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How far a moment is from now; past a week it is the date. */
export function relative(moment, now = Date.now()) {
  const seconds = (now - moment.getTime()) / 1000;
  const away = Math.abs(seconds);
  if (away > 7 * 86400) return day.format(moment);
  if (away < 2) return "just now";
  const [size, unit] = away < 60 ? [1, "s"] : away < 3600 ? [60, "min"] : away < 86400 ? [3600, "h"] : [86400, "d"];
  const words = `${Math.floor(away / size)} ${unit}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

export const exactly = (moment) => exact.format(moment);
