/** A number: typed, or moved by a slider on a linear or logarithmic track. */

import { make, setAttribute } from "../lib/dom.js";
import { positionOf, valueAt } from "../lib/scales.js";
import { read } from "../state.js";
import { frame } from "./frame.js";
import { labelOf, sliderRange } from "./names.js";

const POSITIONS = 1000;

/**
 * @param {import("../state.js").Option} option
 * @param {import("./frame.js").Report} report
 * @param {typeof sliderRange} [rangeOf] the range of its slider, null for none
 * @returns {import("./frame.js").Control}
 */
export function number(option, report, rangeOf = sliderRange) {
  const step = option.kind === "int" ? 1 : "any";
  const typed = make("input", { type: "number", step, inputmode: option.kind === "int" ? "numeric" : "decimal",
    change: () => {
      if (typed.value === "") typed.value = current; // nothing, or no number at all
      else report(option.name, read(option, typed.value), true);
    } });
  let current = "";
  const track = slider(option, report, (value) => (typed.value = String(value)), rangeOf);
  const dice = option.name === "seed" ? seedButton(report) : null;
  const { element, complain } = frame(option, { head: [typed], body: [track?.element, dice].filter((e) => e !== null && e !== undefined), labelled: typed });
  return { name: option.name, element, complain, show(config) {
    current = String(config[option.name]);
    const other = document.activeElement !== typed ? typed.value !== current : typed.value === "" || Number(typed.value) !== config[option.name];
    if (other) typed.value = current;
    track?.show(config);
  } };
}

/**
 * @param {import("../state.js").Option} option
 * @param {import("./frame.js").Report} report
 * @param {(value: number) => void} mirror
 * @param {typeof sliderRange} rangeOf
 */
function slider(option, report, mirror, rangeOf) {
  if (rangeOf(option, {}) === null) return null;
  let range = { low: 0, high: 1, step: 1, log: false };
  let shown = 0;
  const element = make("input", { type: "range", "aria-label": `${labelOf(option)}, slider`,
    input: () => move(false), change: () => move(true) });

  /** @param {boolean} resting */
  function move(resting) {
    let value = range.log ? Math.round(valueAt(Number(element.value) / POSITIONS, range.low, range.high, true)) : Number(element.value);
    if (range.log && !resting && value === shown) value += Math.sign(Number(element.value) - position(shown));
    if (range.log && resting) value = shown;
    value = Math.min(range.high, Math.max(range.low, value));
    shown = value;
    mirror(value);
    element.setAttribute("aria-valuetext", String(value));
    if (range.log) element.value = String(position(value));
    report(option.name, value, resting);
  }

  /** @param {number} value */
  function position(value) {
    return Math.round(POSITIONS * positionOf(value, range.low, range.high, true));
  }

  return { element, show(/** @type {import("../state.js").Config} */ config) {
    range = rangeOf(option, config) ?? range;
    const value = Number(config[option.name]);
    const bounds = range.log ? { min: 0, max: POSITIONS, step: 1 } : { min: range.low, max: range.high, step: range.step };
    for (const [name, bound] of Object.entries(bounds)) setAttribute(element, name, bound);
    shown = value;
    const place = String(range.log ? position(value) : Math.min(range.high, Math.max(range.low, value)));
    if (element.value !== place) element.value = place;
    setAttribute(element, "aria-valuetext", value);
  } };
}

/** @param {import("./frame.js").Report} report */
function seedButton(report) {
  return make("button", { type: "button", class: "button", click: () => {
    report("seed", crypto.getRandomValues(new Uint16Array(1))[0], true);
  } }, "Draw another seed");
}
