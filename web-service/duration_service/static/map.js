/** The map: shows where the trip goes and how far one gets, and takes clicks. */

import { svg } from "./svg.js";
import { row } from "./table.js";
import { rangeInWords } from "./words.js";

/** Where one shade ends and the next begins, in minutes; each shade is a class in page.css. */
const SHADES = [10, 15, 20, 30, 40];

export class CityMap {
  /** `onPick` gets the number of the area that was clicked. */
  constructor(areas, onPick) {
    this.areas = areas;
    this.root = document.getElementById("map");
    this.cells = new Map();
    for (const cell of this.root.querySelectorAll(".cell")) {
      this.cells.set(Number(cell.dataset.area), cell);
    }
    this.hint = "";
    this.over = null;
    this.reach = new Map();
    const area = (event) => Number(event.target.closest(".cell")?.dataset.area) || null;
    this.root.addEventListener("click", (event) => area(event) && onPick(area(event)));
    this.root.addEventListener("pointerover", (event) => this.#hover(area(event)));
    this.root.addEventListener("pointerleave", () => this.#hover(null));
    drawLegend();
  }

  /** Mark the trip's ends; `hint` says what the next click does. */
  mark({ pickup, dropoff }, hint) {
    this.hint = hint;
    const ends = [["dropoff", dropoff], ["pickup", pickup]].filter(([, area]) => area);
    this.#put("chosen-cells", ends.map(([role, area]) => {
      const d = this.cells.get(area).getAttribute("d");
      return svg("path", { class: role, d });
    }));
    this.#put("pins", ends.flatMap(([role, area]) => pin(role, this.areas.get(area))));
    this.#drawWay(this.areas.get(pickup), this.areas.get(dropoff));
    this.#makeRoom(pickup, dropoff);
    this.#say();
  }

  /** Shade every area by the minutes that it takes to get there from the place called `from`. */
  shade(reach, from) {
    Object.assign(this, { reach, from });
    for (const [number, cell] of this.cells) {
      cell.dataset.shade = SHADES.filter((end) => reach.get(number).prediction > end).length;
    }
    document.getElementById("legend-title").textContent = `Minutes from ${from}`;
    document.getElementById("legend").classList.add("ready");
    document.getElementById("reach-title").textContent = `Minutes from ${from} to each area`;
    this.#put("reach-table", this.#listed().map((number) => row(this.areas.get(number).name, reach.get(number))));
    document.getElementById("reach").hidden = false;
    this.#say();
  }

  /** Without an answer, no minutes are shown that are those of another trip. */
  clear() {
    this.reach = new Map();
    for (const cell of this.cells.values()) delete cell.dataset.shade;
    document.getElementById("legend").classList.remove("ready");
    document.getElementById("reach").hidden = true;
    this.#say();
  }

  /** The areas' numbers in the order of the lists to choose from. */
  #listed() {
    return [...document.getElementById("dropoff").options].map(({ value }) => Number(value)).filter(Boolean);
  }

  #hover(area) {
    this.over = area;
    this.#say();
  }

  /** The line under the map: the area under the pointer, if any, and what a click does. */
  #say() {
    const answer = this.reach.get(this.over);
    const name = this.areas.get(this.over)?.name ?? "";
    document.getElementById("over").textContent = answer
      ? `${name}: ${Math.round(answer.prediction)} min from ${this.from} (${rangeInWords(answer)})`
      : name;
    document.getElementById("next-click").textContent = this.hint;
  }

  #put(id, elements) {
    document.getElementById(id).replaceChildren(...elements);
  }

  #drawWay(from, to) {
    const way = document.getElementById("way");
    const d = from && to && from !== to ? bow(from, to) : "";
    if (d === way.getAttribute("d")) return;
    way.setAttribute("d", d);
    way.setAttribute("pathLength", 1);
    way.classList.remove("drawn");
    way.getBoundingClientRect(); // Without a layout in between, the drawing would not start again.
    way.classList.add("drawn");
  }

  /** Hide the names that the ends' names would cover or repeat. */
  #makeRoom(...ends) {
    const taken = [...this.root.querySelectorAll("#pins > *")].map((one) => one.getBoundingClientRect());
    for (const label of this.root.querySelectorAll("#labels text")) {
      const box = label.getBoundingClientRect();
      const covered = ends.includes(Number(label.dataset.area)) || taken.some((other) => overlap(box, other));
      label.classList.toggle("covered", covered);
    }
  }
}

function pin(role, { name, x, y }) {
  const [text] = name.split(" (");
  // Near the edges a name that is centred on its pin would leave the picture.
  const { width } = document.getElementById("map").viewBox.baseVal;
  const label = svg("text", { class: role, x: Math.min(Math.max(x, 130), width - 130), y: y - 24 }, text);
  return [svg("use", { class: role, href: `#${role}-pin`, x, y }), label];
}

/** A line from one to the other, bent to the left of the way by a sixth of it. */
function bow(from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const [x, y] = [(from.x + to.x) / 2 + dy / 6, (from.y + to.y) / 2 - dx / 6];
  return `M${from.x} ${from.y}Q${x.toFixed(1)} ${y.toFixed(1)} ${to.x} ${to.y}`;
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function drawLegend() {
  const steps = [...SHADES.map((end, n) => `${SHADES[n - 1] ?? 0}–${end}`), `over ${SHADES.at(-1)}`];
  document.getElementById("legend-steps").replaceChildren(...steps.map((text, n) => {
    const step = document.createElement("li");
    step.dataset.shade = n;
    step.textContent = text;
    return step;
  }));
}
