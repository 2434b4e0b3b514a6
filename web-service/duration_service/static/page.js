/** The page: keeps the trip in its fields and its address, asks, and shows what comes. */

import { showAnswer, showModel, showTrouble } from "./answer.js";
import { DayCurve } from "./day.js";
import { CityMap } from "./map.js";
import { questions, sorted } from "./questions.js";
import { Trouble, model, predict } from "./service.js";
import { nowInChicago } from "./words.js";
import { given, put, wrongIn } from "./wrong.js";

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
  for (const [name, value] of Object.entries(changes)) put(fields[name], value);
  if (changes.time) delete fields.time.dataset.now;
  changed();
}

function pick(area) {
  const end = next;
  next = end === "pickup" ? "dropoff" : "pickup";
  choose({ [end]: area });
}

function changed() {
  const query = new URLSearchParams({ from: given(fields.pickup), to: given(fields.dropoff) });
  if (given(fields.time) && !fields.time.dataset.now) query.set("at", given(fields.time));
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
    `From ${chosen("pickup")} to ${chosen("dropoff")}. The lists above choose the same areas as a click here.`;
}

function askIn(milliseconds) {
  asked.abort();
  clearTimeout(timer);
  timer = setTimeout(ask, milliseconds);
}

async function ask() {
  asked = new AbortController();
  const { signal } = asked;
  // Time goes on while the page is open, and while the service is away.
  if (fields.time.dataset.now) setNow();
  const now = trip();
  main.setAttribute("aria-busy", "true");
  try {
    const wrong = wrongIn(fields);
    if (wrong) throw new Trouble(wrong);
    const { trip: answer, day, reach } = sorted(await predict(questions(now, known), signal), now, known);
    showTrouble(null);
    showAnswer(answer, { from: place(now.pickup), to: place(now.dropoff), time: now.time });
    map.shade(reach, place(now.pickup));
    curve.show(day, answer, now.time);
    // Not waited for: the answer is there, to be read aloud and no longer dimmed.
    tellOfModel(answer, signal);
  } catch (error) {
    // What came of a question that another one replaced is no longer of interest.
    if (!signal.aborted) excuse(error);
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

/** The place that a field has, in words. */
function chosen(end) {
  return fields[end].dataset.wrong ? "an area yet to be chosen" : place(trip()[end]);
}

/** The number of the area that a text such as "8.0" names; else the text. */
function areaIn(text) {
  return areas.has(Number(text)) ? Number(text) : text;
}

function start() {
  document.getElementById("loading").remove();
  const query = new URLSearchParams(location.search);
  const { pickup, dropoff, time } = fields;
  // On a slow line a person may choose before this script has come.
  const early = pickup.value || dropoff.value || time.value;
  put(pickup, pickup.value || areaIn(query.get("from") ?? FIRST.pickup));
  put(dropoff, dropoff.value || areaIn(query.get("to") ?? FIRST.dropoff));
  put(time, time.value || (query.get("at") ?? ""));
  if (!given(time)) setNow();
  if (early) return changed();
  mark();
  askIn(0);
}

function setNow() {
  put(fields.time, nowInChicago());
  fields.time.dataset.now = "yes";
}

for (const end of ["pickup", "dropoff"]) {
  fields[end].addEventListener("change", () => choose({ [end]: fields[end].value }));
  fields[end].addEventListener("focus", () => { next = end; mark(); });
}
fields.time.addEventListener("input", () => {
  delete fields.time.dataset.now;
  delete fields.time.dataset.wrong;
  changed();
});
document.getElementById("now").addEventListener("click", () => { setNow(); changed(); });
document.getElementById("swap").addEventListener("click", () => {
  choose({ pickup: given(fields.dropoff), dropoff: given(fields.pickup) });
});
document.getElementById("trip").addEventListener("submit", (event) => event.preventDefault());
start();
