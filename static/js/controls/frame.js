/** What every control has: a label, its explanation within reach, and a place for what is wrong with it. */

import { make, setHidden, setText } from "../lib/dom.js";
import { labelOf } from "./names.js";

/**
 * A control shows a value and reports a new one: `moved` while it moves, `set` when it rests.
 * @typedef {{name: string, element: HTMLElement, show: (config: import("../state.js").Config) => void,
 *   complain: (text: string) => void}} Control
 * @typedef {(name: string, value: import("../state.js").Value, resting: boolean) => void} Report
 */

/**
 * Returns the frame of a control around its inputs.
 * @param {import("../state.js").Option} option
 * @param {{head?: HTMLElement[], body: HTMLElement[], labelled: HTMLElement, group?: boolean}} parts
 */
export function frame(option, { head = [], body, labelled, group = false }) {
  const id = `control-${option.name}`;
  const label = labelOf(option);
  const help = make("p", { class: "help", id: `${id}-help`, hidden: true }, option.help);
  const problem = make("p", { class: "problem", id: `${id}-problem`, role: "alert", hidden: true });
  const button = make("button", { type: "button", class: "help-button", "aria-expanded": "false", "aria-controls": help.id,
    "aria-label": `What is this: ${label}`, title: option.help,
    click: () => {
      help.hidden = !help.hidden;
      button.setAttribute("aria-expanded", String(!help.hidden));
    } }, "?");
  labelled.setAttribute("aria-describedby", `${help.id} ${problem.id}`);
  const name = group ? make("span", { class: "control-label", id: `${id}-label` }, label) : make("label", { for: `${id}-input` }, label);
  if (group) labelled.setAttribute("aria-labelledby", name.id);
  else labelled.id = `${id}-input`;
  const element = make("div", { class: "control", "data-option": option.name },
    make("div", { class: "control-head" }, name, ...head, button), help, ...body, problem);
  /** @param {string} text */
  function complain(text) {
    if (problem.textContent === text) return;
    setText(problem, text);
    setHidden(problem, text === "");
    if (text === "") labelled.removeAttribute("aria-invalid");
    else if (!group) labelled.setAttribute("aria-invalid", "true");
  }
  return { element, complain };
}
