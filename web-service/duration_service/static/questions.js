/** All that the page wants to know of a trip, asked in one request so that one model answers. */

import { isSkipped } from "./words.js";

const HALF_HOURS = Array.from({ length: 48 }, (_, n) =>
  `${String(Math.floor(n / 2)).padStart(2, "0")}:${n % 2 ? "30" : "00"}`);

/** The trip, the same over its day, and trips from its pickup to every area.
 *
 * Their ids tell whoever reads the log of predictions that a page asked, and what for.
 */
export function questions({ pickup, dropoff, time }, areas) {
  return [
    question(pickup, dropoff, time, "page"),
    ...timesOf(time).map((at) => question(pickup, dropoff, `${time.slice(0, 10)}T${at}`, "page-day")),
    ...areas.map(({ number }) => question(pickup, number, time, "page-map")),
  ];
}

/** The answers to `questions`: of the trip, per time of the day, and per area's number. */
export function sorted(answers, { time }, areas) {
  const [trip, ...others] = answers;
  const day = timesOf(time).map((at, n) => ({ at, ...others[n] }));
  const reach = new Map(areas.map(({ number }, n) => [number, others[day.length + n]]));
  return { trip, day, reach };
}

/** The times of the day that the curve has: every half hour that clocks show on it. */
function timesOf(time) {
  return HALF_HOURS.filter((at) => !isSkipped(`${time.slice(0, 10)}T${at}`));
}

function question(pickup, dropoff, time, id) {
  return {
    pickup_community_area: pickup,
    dropoff_community_area: dropoff,
    trip_start_timestamp: time,
    trip_id: id,
  };
}
