/** What the chosen analysis takes, said before it is computed. */

import { estimate } from "../api.js";
import { make, setText } from "../lib/dom.js";
import { Newest } from "../lib/newest.js";

/** @typedef {{bytes: number, seconds: number}} Estimate */

const STILL_MS = 60; // after so long without a change, the page asks what its choice will take

/**
 * Returns the line, and the function that fills it for a config.
 * @param {import("../state.js").Option[]} options
 * @returns {{element: HTMLElement, ask: (config: import("../state.js").Config) => void}}
 */
export function costLine(options) {
  const element = make("p", { class: "cost help" }, "\u00a0");
  const costs = new Newest((/** @type {import("../state.js").Config} */ config, signal) => estimate(config, options, signal),
    (cost) => setText(element, costWords(cost)), () => {});
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return { element, ask: (config) => {
    clearTimeout(timer);
    timer = setTimeout(() => costs.ask(config), STILL_MS);
  } };
}

/**
 * @param {Estimate} cost
 * @returns {string}
 */
export function costWords({ bytes, seconds }) {
  const mebibytes = Math.max(1, Math.round(bytes / 2 ** 20));
  const time = seconds < 1 ? `${Math.max(10, Math.round(seconds * 100) * 10)} ms` : `${seconds.toFixed(1)} s`;
  return `This choice takes about ${mebibytes.toLocaleString("en")} MiB of memory and ${time}, its check included.`;
}
