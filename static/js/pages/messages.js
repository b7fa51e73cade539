/** What the page says when a choice cannot be used, and while it computes. */

import { Refused } from "../api.js";
import { byId, setText } from "../lib/dom.js";

/** @param {string} text "" for nothing */
export function notice(text) {
  setText(byId("notice"), text);
  byId("notice").hidden = text === "";
}

/** @param {boolean} busy */
export function showBusy(busy) {
  byId("progress").hidden = !busy;
  byId("main").setAttribute("aria-busy", String(busy));
}

/**
 * Says what was refused, beside the controls that are to blame and above the pictures.
 * @param {unknown} error
 * @param {(problems: import("../api.js").Problem[]) => import("../api.js").Problem[]} complain returns those
 *   that no control is to blame for
 * @param {boolean} pictures whether there are any to keep
 */
export function explain(error, complain, pictures) {
  const problems = error instanceof Refused ? error.problems : [];
  const others = complain(problems);
  const kept = pictures ? " The pictures still show the last choice that could be computed." : "";
  if (problems.length === 0) notice(`${reason(error)}${kept}`);
  else if (others.length) notice(others.map((problem) => `${problem.field} = ${problem.value}: ${problem.limit}. ${problem.remedy}`).join(" ") + kept);
  else notice(`${problems.length === 1 ? "One choice" : "Some choices"} cannot be used: see beside the control.${kept}`);
}

/** @param {unknown} error */
function reason(error) {
  if (error instanceof TypeError) return "The server does not answer. Start it again with \u201cmake run\u201d, then choose something.";
  return `${error instanceof Error ? error.message : String(error)}.`;
}
