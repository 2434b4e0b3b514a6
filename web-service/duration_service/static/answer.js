/** The trip's answer: in figures, in a sentence, as a bar; and the model that gave it. */

import { svg } from "./svg.js";
import { capital, monthsInWords, rangeInWords, timeInWords } from "./words.js";

const LONGEST = 60;
const SOURCES = {
  city: "the City's taxi trips",
  files: "taxi trips from files",
  simulated: "simulated trips, not real ones",
};

const element = (id) => document.getElementById(id);

/** Show the prediction; the sentence is announced by screen readers. */
export function showAnswer(answer, { from, to, time }) {
  element("minutes").textContent = Math.round(answer.prediction);
  element("unit").textContent = Math.round(answer.prediction) === 1 ? "minute" : "minutes";
  element("sentence").textContent =
    `${capital(from)} to ${to}, ${timeInWords(time)}. Half of such rides take longer;` +
    ` eight of ten take ${rangeInWords(answer)} minutes.`;
  element("interval").replaceChildren(...bar(answer));
  element("duration").classList.add("ready");
}

/** Say in words why there is no answer; null where there is one. */
export function showTrouble(words) {
  element("trouble").textContent = words ?? "";
  element("answer").classList.toggle("without", Boolean(words));
}

/** Say which model answered; `model` is null where the service now has another one. */
export function showModel(answer, model) {
  const facts = { Model: `version ${answer.model_version}`, Run: answer.run_id.slice(0, 8) };
  if (model) {
    facts["Learned from"] = SOURCES[model.source] ?? model.source;
    facts.Months = monthsInWords(model.months);
    if (model.metrics.mae !== undefined) {
      facts["Usual error"] = `${model.metrics.mae.toFixed(1)} minutes (mean, on later trips)`;
    }
  }
  element("model-facts").replaceChildren(...Object.entries(facts).flatMap(fact));
  element("simulated").hidden = model?.source !== "simulated";
  element("refused").hidden = !model?.refused;
  element("refused").textContent = model?.refused
    ? `Version ${model.refused.version} came and was refused: ${model.refused.reason}` : "";
  element("model").hidden = false;
}

function fact([name, value]) {
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  description.textContent = value;
  return [term, description];
}

/** The interval on a scale of an hour, the median as a mark in it. */
function bar({ prediction, lower, upper }) {
  const end = Math.max(LONGEST, upper);
  const at = (minutes) => `${((minutes / end) * 96 + 2).toFixed(2)}%`;
  const ticks = [0, 15, 30, 45, 60];
  return [
    svg("rect", { class: "scale", x: "2%", width: "96%", y: 12, height: 6, rx: 3 }),
    svg("line", { class: "reach", x1: at(lower), x2: at(upper), y1: 15, y2: 15 }),
    svg("circle", { class: "middle", cx: at(prediction), cy: 15, r: 8 }),
    ...ticks.map((tick) => svg("text", { x: at(tick), y: 44 }, tick)),
  ];
}
