/** All that the page wants to know of a trip, asked in one request so that one model answers. */

/** The times of the day that the curve has: every half hour. */
export const TIMES = Array.from({ length: 48 }, (_, n) =>
  `${String(Math.floor(n / 2)).padStart(2, "0")}:${n % 2 ? "30" : "00"}`);

/** The trip, the same over its day, and trips from its pickup to every area.
 *
 * Their ids tell whoever reads the log of predictions that a page asked, and what for.
 */
export function questions({ pickup, dropoff, time }, areas) {
  const day = time.slice(0, 10);
  return [
    question(pickup, dropoff, time, "page"),
    ...TIMES.map((at) => question(pickup, dropoff, `${day}T${at}`, "page-day")),
    ...areas.map(({ number }) => question(pickup, number, time, "page-map")),
  ];
}

/** The answers to `questions`: of the trip, per time of the day, and per area's number. */
export function sorted(answers, areas) {
  const [trip, ...others] = answers;
  const day = TIMES.map((at, n) => ({ at, ...others[n] }));
  const reach = new Map(areas.map(({ number }, n) => [number, others[TIMES.length + n]]));
  return { trip, day, reach };
}

function question(pickup, dropoff, time, id) {
  return {
    pickup_community_area: pickup,
    dropoff_community_area: dropoff,
    trip_start_timestamp: time,
    trip_id: id,
  };
}
