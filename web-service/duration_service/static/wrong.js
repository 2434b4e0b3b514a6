/** What cannot be answered of what a person, or the page's address, gave. */

import { dayInWords, isSkipped } from "./words.js";

/** Enough of a wrong value to recognise it. */
const MOST_SHOWN = 40;

/** Put `text` into a field. What the field cannot show is kept with it, until a choice takes its place. */
export function put(field, text) {
  field.value = text;
  if (text && !field.value) field.dataset.wrong = text;
  else delete field.dataset.wrong;
}

/** What a field was given, also where it cannot show it. */
export function given(field) {
  return field.dataset.wrong ?? field.value;
}

/** Why nothing can be asked with these fields, in words; null where it can. */
export function wrongIn({ pickup, dropoff, time }) {
  const none = "which is none of Chicago's areas";
  const parts = [
    ...inAddress(pickup, (value) => `begins in ${value}, ${none}`),
    ...inAddress(dropoff, (value) => `ends in ${value}, ${none}`),
    ...inAddress(time, (value) => `starts at ${value}, which is not a time`),
  ];
  if (parts.length) return `In this page's address the ride ${parts.join(", and ")}. Please choose anew.`;
  return wrongTime(time);
}

function inAddress({ dataset: { wrong } }, say) {
  if (!wrong) return [];
  return [say(wrong.length > MOST_SHOWN ? `“${wrong.slice(0, MOST_SHOWN)}…”` : `“${wrong}”`)];
}

function wrongTime({ value, min, max, validity }) {
  // Such a field has no value, as an empty one, which stands for the present time.
  if (validity.badInput) return "The time is not complete, or there is no such day. Please choose another time.";
  if (!value) return null;
  if (validity.rangeUnderflow || validity.rangeOverflow) {
    return `Rides can be asked for in the years ${min.slice(0, 4)} to ${max.slice(0, 4)}. Please choose another time.`;
  }
  if (!isSkipped(value)) return null;
  return `There is no ${value.slice(11, 16)} on ${dayInWords(value)}: summer time begins in Chicago,` +
    " and clocks go from 2:00 to 3:00. Please choose another time.";
}
