/** What the service answers, or why it does not. */

/** Why there is no answer, in words; `retryAfter` in seconds where asking again may help. */
export class Trouble extends Error {
  constructor(message, retryAfter = null) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** Seconds until the next attempt where nobody says when. */
const PATIENCE = 5;
/** Seconds that an answer may take; unless told otherwise the service itself gives a request up sooner. */
const LONGEST = 20;

/** The predictions for `trips`, in their order and all of one model. */
export function predict(trips, signal) {
  const headers = { "Content-Type": "application/json" };
  return fetched("predict", { method: "POST", headers, body: JSON.stringify(trips), signal });
}

/** The model that answers. */
export function model(signal) {
  return fetched("model", { signal });
}

async function fetched(path, options) {
  let response;
  try {
    // Seen from this file: the page's own address may end with a stage and no slash.
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(LONGEST * 1000)]);
    response = await fetch(new URL(`../${path}`, import.meta.url), { ...options, signal });
    if (response.ok) return await response.json();
  } catch {
    throw new Trouble("The service cannot be reached.", PATIENCE);
  }
  throw await troubleOf(response);
}

/** A problem of the service (RFC 9457), or the status of what something between said in its place. */
async function troubleOf(response) {
  const said = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const problem = said ? await response.json().catch(() => ({})) : {};
  // The other questions are about the same trip, and would only say the same of other times.
  const first = (problem.errors ?? []).filter(({ path }) => path.startsWith("$[0]"));
  const wrong = first.map(({ came, expected }) => `${came} came; expected: ${expected}.`);
  const words = problem.detail ?? `The service answered with status ${response.status}.`;
  const passing = [429, 502, 503, 504].includes(response.status);
  const seconds = Number(response.headers.get("Retry-After")) || PATIENCE;
  return new Trouble(wrong.join(" ") || words, passing ? seconds : null);
}
