/** Numbers, times and places in words. Times are "2022-04-01T10:30", on Chicago's clocks. */

const list = new Intl.ListFormat("en-US");

const clock = new Intl.DateTimeFormat("en-US", {
  timeZone: "America/Chicago", hourCycle: "h23",
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
});

/** What Chicago's clocks show now, to the minute. */
export function nowInChicago() {
  return shownAt(Date.now());
}

/** Whether Chicago's clocks leave this time out, as they do with an hour when summer time begins. */
export function isSkipped(at) {
  const behind = [5, 6].map((hours) => hours * 3_600_000);
  return !behind.some((milliseconds) => shownAt(Date.parse(`${at}Z`) + milliseconds) === at.slice(0, 16));
}

function shownAt(instant) {
  const part = Object.fromEntries(clock.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

/** "Friday, April 1, 2022". */
export function dayInWords(at) {
  return date(at.slice(0, 10), { weekday: "long", year: "numeric", month: "long", day: "numeric" });
}

/** "Friday, April 1, 2022, 10:30". */
export function timeInWords(at) {
  return `${dayInWords(at)}, ${at.slice(11, 16)}`;
}

/** "Outside the city" of "outside the city". */
export function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "24 to 40", or "24" where both ends are that. */
export function rangeInWords({ lower, upper }) {
  const [from, to] = [Math.round(lower), Math.round(upper)];
  return from === to ? `${from}` : `${from} to ${to}`;
}

/** "January, February and April 2022" of ["2022-01", "2022-02", "2022-04"]; long runs are "… to …". */
export function monthsInWords(months) {
  const name = (month) => date(`${month}-01`, { year: "numeric", month: "long" });
  const sorted = [...months].sort();
  if (sorted.length > 3) return `${sorted.length} months, ${name(sorted[0])} to ${name(sorted.at(-1))}`;
  return list.format(sorted.map(name));
}

function date(day, options) {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en-US", { ...options, timeZone: "UTC" });
}
