/** What the chosen analysis takes, said before it is computed. */

import { setText } from "../lib/dom.js";

/** @typedef {{bytes: number, seconds: number}} Estimate */

/**
 * Returns the line, and the function that fills it.
 * @returns {{element: HTMLElement, show: (cost: Estimate) => void}}
 */
export function costLine() {
  const element = document.createElement("p");
  element.className = "cost help";
  element.textContent = "\u00a0";
  return { element, show: (cost) => setText(element, costWords(cost)) };
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
