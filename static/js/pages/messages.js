/** What the page says when a choice cannot be used, and while it computes. */

import { Refused } from "../api.js";
import { byId, setAttribute, setHidden, setText } from "../lib/dom.js";

/** @param {string} text "" for nothing */
export function notice(text) {
  setText(byId("notice"), text);
  setHidden(byId("notice"), text === "");
}

/** @param {boolean} busy */
export function showBusy(busy) {
  setHidden(byId("progress"), !busy);
  setAttribute(byId("main"), "aria-busy", busy);
}

/**
 * Says what was refused, beside the controls that are to blame and above the pictures.
 * @param {unknown} error
 * @param {(problems: import("../api.js").Problem[]) => import("../api.js").Problem[]} complain returns those
 *   that no control is to blame for
 * @param {boolean | null} current whether the pictures show this choice, as far as it could be computed; null where there are none
 * @param {number | null} seconds after which the page asks again by itself
 */
export function explain(error, complain, current, seconds) {
  const problems = error instanceof Refused ? error.problems : [];
  const others = complain(problems);
  const kept = current === null ? "" : current ? " The rest of this choice is shown." : " The pictures still show the last choice that could be computed.";
  if (seconds !== null) notice(`${waiting(error)} Asking again in ${seconds} s.${kept}`);
  else if (problems.length === 0) notice(`${reason(error)}${kept}`);
  else if (others.length) notice(others.map((problem) => `${problem.field} = ${problem.value}: ${problem.limit}. ${problem.remedy}`).join(" ") + kept);
  else notice(`${problems.length === 1 ? "One choice" : "Some choices"} cannot be used: see beside the control.${kept}`);
}

/**
 * Returns what the page shows instead of an address that asks for what cannot be: every option to blame at its
 * default. Null if no option is to blame that is not at its default already.
 * @param {unknown} error
 * @param {import("../state.js").Config} config
 * @param {import("../state.js").Option[]} options
 */
export function instead(error, config, options) {
  const problems = error instanceof Refused && error.status === 422 ? error.problems : [];
  const blamed = options.filter((option) => problems.some((problem) => problem.field === option.name) && config[option.name] !== option.default);
  if (!blamed.length) return null;
  const said = problems.map((problem) => `${problem.field} = ${problem.value}: ${problem.limit}.`).join(" ");
  const shown = blamed.map((option) => `${option.name} = ${option.default}`).join(", ");
  return { change: Object.fromEntries(blamed.map((option) => [option.name, option.default])),
    words: `The address cannot be shown as it is. ${said} The page shows ${shown} instead.` };
}

/** @param {unknown} error */
function waiting(error) {
  return error instanceof TypeError ? "The server does not answer. If it has stopped, start it again." : "The server has too much to do.";
}

/** @param {unknown} error */
function reason(error) {
  return `${error instanceof Error ? error.message : String(error)}.`;
}
