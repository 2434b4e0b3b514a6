/** The day's curve for the pair: median and interval from midnight to midnight. */

import { svg } from "./svg.js";
import { row } from "./table.js";
import { dayInWords, rangeInWords } from "./words.js";

const HEIGHT = 210;
const MARGIN = { left: 34, right: 20, top: 14, bottom: 26 };

export class DayCurve {
  /** `onPick` gets the time, such as "10:30", that was clicked. */
  constructor(onPick) {
    this.root = document.getElementById("curve");
    this.root.addEventListener("click", (event) => {
      const point = this.#nearest(event);
      if (point) onPick(point.at);
    });
    this.root.addEventListener("pointermove", (event) => this.#point(this.#nearest(event)));
    this.root.addEventListener("pointerleave", () => this.#point(null));
    // Drawn in pixels of the screen, so that the writing stays readable on a phone.
    new ResizeObserver(() => this.#draw()).observe(this.root);
  }

  /** Show `day`, a list of predictions with their times, and the trip among them. */
  show(day, trip, time) {
    Object.assign(this, { day, trip, time });
    const least = day.reduce((a, b) => (b.prediction < a.prediction ? b : a));
    const most = day.reduce((a, b) => (b.prediction > a.prediction ? b : a));
    document.getElementById("day-summary").textContent =
      `${dayInWords(time)}. Quickest at ${least.at} with ${Math.round(least.prediction)} minutes,` +
      ` slowest at ${most.at} with ${Math.round(most.prediction)}.`;
    document.getElementById("table").replaceChildren(...day.map((point) => row(point.at, point)));
    document.getElementById("day").hidden = false;
    this.#draw();
  }

  #draw() {
    const width = this.root.clientWidth;
    if (!this.day || !width) return;
    this.top = Math.max(20, Math.ceil(Math.max(...this.day.map((p) => p.upper), this.trip.upper) / 10) * 10);
    const scale = width - MARGIN.left - MARGIN.right;
    this.x = (hour) => MARGIN.left + (hour / 24) * scale;
    this.y = (minutes) => HEIGHT - MARGIN.bottom - (minutes / this.top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    // The day ends as it would go on: with its last half hour.
    const points = [...this.day, { ...this.day.at(-1), at: "24:00" }];
    const along = (name) => points.map((p) => `${this.x(hourOf(p.at)).toFixed(1)} ${this.y(p[name]).toFixed(1)}`);
    this.readout = svg("g", { class: "readout" });
    this.root.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.root.replaceChildren(
      ...this.#axes(width),
      svg("path", { class: "band", d: `M${[...along("upper"), ...along("lower").reverse()].join("L")}Z` }),
      svg("path", { class: "median", d: `M${along("prediction").join("L")}` }),
      ...this.#marker(),
      this.readout,
    );
  }

  #axes(width) {
    const step = this.top > 40 ? 20 : 10;
    const minutes = Array.from({ length: Math.floor(this.top / step) + 1 }, (_, n) => n * step);
    const hours = width < 420 ? [0, 6, 12, 18, 24] : [0, 3, 6, 9, 12, 15, 18, 21, 24];
    return [
      ...minutes.flatMap((value) => [
        svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: this.y(value), y2: this.y(value) }),
        svg("text", { class: "left", x: MARGIN.left - 8, y: this.y(value) + 4 }, value),
      ]),
      ...hours.map((hour) => svg("text", { class: "below", x: this.x(hour), y: HEIGHT - 6 }, `${hour}:00`)),
    ];
  }

  /** The chosen time. */
  #marker() {
    const x = this.x(hourOf(this.time.slice(11)));
    const y = (minutes) => this.y(minutes);
    return [
      svg("line", { class: "chosen", x1: x, x2: x, y1: y(this.trip.lower), y2: y(this.trip.upper) }),
      svg("circle", { class: "chosen", cx: x, cy: y(this.trip.prediction), r: 5 }),
    ];
  }

  /** The point of the curve under the pointer. */
  #nearest(event) {
    if (!this.day) return null;
    const { left, right } = MARGIN;
    const share = (event.offsetX - left) / (this.root.clientWidth - left - right);
    const far = ({ at }) => Math.abs(hourOf(at) - share * 24);
    return this.day.reduce((a, b) => (far(b) < far(a) ? b : a));
  }

  #point(point) {
    if (!this.readout) return;
    if (!point) return this.readout.replaceChildren();
    const x = this.x(hourOf(point.at));
    const text = `${point.at}: ${Math.round(point.prediction)} min (${rangeInWords(point)})`;
    const room = this.root.clientWidth - 90;
    this.readout.replaceChildren(
      svg("line", { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }),
      svg("circle", { cx: x, cy: this.y(point.prediction), r: 4 }),
      svg("text", { x: Math.min(Math.max(x, MARGIN.left + 80), room), y: MARGIN.top - 2 }, text),
    );
  }
}

function hourOf(at) {
  const [hours, minutes] = at.split(":").map(Number);
  return hours + minutes / 60;
}
