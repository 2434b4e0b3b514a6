/** The page: keeps the trip in its fields and its address, asks, and shows what comes. */

import { showAnswer, showModel, showTrouble } from "./answer.js";
import { DayCurve } from "./day.js";
import { CityMap } from "./map.js";
import { questions, sorted } from "./questions.js";
import { model, predict } from "./service.js";
import { nowInChicago } from "./words.js";

/** What is shown first: from the Near North Side to O'Hare. */
const FIRST = { pickup: 8, dropoff: 76 };
/** Milliseconds of rest before asking, so that paging through a list asks once. */
const REST = 150;
/** Milliseconds until the model's details are asked for again. */
const TELL_AGAIN = 10_000;

const known = JSON.parse(document.getElementById("areas").textContent);
const areas = new Map(known.map((area) => [area.number, area]));
const fields = Object.fromEntries(["pickup", "dropoff", "time"].map((id) => [id, document.getElementById(id)]));
const main = document.querySelector("main");
const map = new CityMap(areas, pick);
const curve = new DayCurve((at) => choose({ time: `${trip().time.slice(0, 10)}T${at}` }));

/** The end of the trip that the next click on the map sets. */
let next = "pickup";
let asked = new AbortController();
let timer = null;
/** The last model that the service told of; its details go with the answers of the same run. */
let told = null;

function trip() {
  const area = (field) => Number(field.value) || null;
  const time = fields.time.value || nowInChicago();
  return { pickup: area(fields.pickup), dropoff: area(fields.dropoff), time };
}

/** Put these into the fields, and ask. */
function choose(changes) {
  for (const [name, value] of Object.entries(changes)) fields[name].value = value ?? "";
  if (changes.time) delete fields.time.dataset.now;
  changed();
}

function pick(area) {
  const end = next;
  next = end === "pickup" ? "dropoff" : "pickup";
  choose({ [end]: area });
}

function changed() {
  const { pickup, dropoff } = trip();
  const query = new URLSearchParams({ from: pickup ?? "", to: dropoff ?? "" });
  if (fields.time.value && !fields.time.dataset.now) query.set("at", fields.time.value);
  // Colons need no escape in a query, and the address is for people.
  history.replaceState(null, "", `?${query.toString().replaceAll("%3A", ":")}`);
  mark();
  askIn(REST);
}

function mark() {
  map.mark(trip(), `The next click sets the ${next}`);
  for (const end of ["pickup", "dropoff"]) {
    document.getElementById(`${end}-field`).classList.toggle("next", end === next);
  }
  document.getElementById("map-text").textContent =
    `From ${place(trip().pickup)} to ${place(trip().dropoff)}. The lists above choose the same areas as a click here.`;
}

function askIn(milliseconds) {
  asked.abort();
  clearTimeout(timer);
  timer = setTimeout(ask, milliseconds);
}

async function ask() {
  asked = new AbortController();
  const { signal } = asked;
  const now = trip();
  main.setAttribute("aria-busy", "true");
  try {
    const { trip: answer, day, reach } = sorted(await predict(questions(now, known), signal), known);
    showTrouble(null);
    showAnswer(answer, { from: place(now.pickup), to: place(now.dropoff), time: now.time });
    map.shade(reach, place(now.pickup));
    curve.show(day, answer, now.time);
    await tellOfModel(answer, signal);
  } catch (error) {
    if (error.name !== "AbortError") excuse(error);
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

/** The answer is shown without its model's details where /model fails, or is answered by a process
 * that has not got a new model yet; then they are asked for again. */
async function tellOfModel(answer, signal) {
  if (told?.run_id !== answer.run_id) told = await model(signal).catch(() => null);
  if (signal.aborted) return;
  const known = told?.run_id === answer.run_id;
  showModel(answer, known ? told : null);
  if (!known) timer = setTimeout(tellOfModel, TELL_AGAIN, answer, signal);
}

function excuse(error) {
  const { retryAfter = null } = error;
  const again = retryAfter ? ` This page asks again in ${retryAfter} seconds.` : "";
  showTrouble(error.message + again);
  map.clear();
  if (retryAfter) timer = setTimeout(ask, retryAfter * 1000);
}

function place(area) {
  return areas.get(area)?.name ?? "outside the city";
}

/** A number of an area that the address has; what is none is taken for unknown. */
function areaInAddress(query, name, otherwise) {
  if (!query.has(name)) return otherwise;
  return areas.has(Number(query.get(name))) ? Number(query.get(name)) : "";
}

function start() {
  const query = new URLSearchParams(location.search);
  fields.pickup.value = areaInAddress(query, "from", FIRST.pickup);
  fields.dropoff.value = areaInAddress(query, "to", FIRST.dropoff);
  fields.time.value = query.get("at") ?? "";
  if (!fields.time.value) setNow();
  mark();
  askIn(0);
}

function setNow() {
  fields.time.value = nowInChicago();
  fields.time.dataset.now = "yes";
}

for (const end of ["pickup", "dropoff"]) {
  fields[end].addEventListener("change", changed);
  fields[end].addEventListener("focus", () => { next = end; mark(); });
}
fields.time.addEventListener("input", () => { delete fields.time.dataset.now; changed(); });
document.getElementById("now").addEventListener("click", () => { setNow(); changed(); });
document.getElementById("swap").addEventListener("click", () => {
  const { pickup, dropoff } = trip();
  choose({ pickup: dropoff, dropoff: pickup });
});
document.getElementById("trip").addEventListener("submit", (event) => event.preventDefault());
start();
