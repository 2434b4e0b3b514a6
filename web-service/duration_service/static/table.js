/** Predictions as rows of a table: what they are for, the minutes, and what eight of ten take. */

/** A row; `name` is its heading. */
export function row(name, { prediction, lower, upper }) {
  const line = document.createElement("tr");
  const heading = document.createElement("th");
  heading.scope = "row";
  heading.textContent = name;
  line.append(heading);
  for (const text of [prediction.toFixed(1), `${lower.toFixed(1)} to ${upper.toFixed(1)}`]) {
    line.insertCell().textContent = text;
  }
  return line;
}
