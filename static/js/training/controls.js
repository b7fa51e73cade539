/** A lab's controls: which one an option has, and how what is wrong with it is shown. */

import { choice } from "../controls/choice.js";
import { number } from "../controls/number.js";
import { text } from "../controls/text.js";
import { labRange } from "./groups.js";

/**
 * Returns the control of an option.
 * @param {import("../state.js").Option} option
 * @param {import("../controls/frame.js").Report} report
 * @returns {import("../controls/frame.js").Control}
 */
export function controlFor(option, report) {
  if (option.kind === "int" || option.kind === "float") return number(option, report, labRange);
  if (option.kind === "text" || option.kind === "series") return text(option, report);
  return choice(option, report);
}

/** @param {import("../api.js").Problem} problem */
export function words({ value, limit, remedy }) {
  return `${value}: ${limit}. ${remedy}`;
}

/**
 * Unfolds whatever an element lies in.
 * @param {HTMLElement} element
 */
export function open(element) {
  for (let fold = element.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null) fold.open = true;
}
