/** The three questions above the fold: which one is asked, and its computed answer. */

import { byId, make, setAttribute, setHidden } from "../lib/dom.js";
import { set } from "../lib/format.js";

/** @param {(name: string) => void} asked */
export function listenQuestions(asked) {
  for (const button of buttons()) button.addEventListener("click", () => asked(button.dataset.question ?? ""));
}

/**
 * @param {string} q the question's name, "" for none
 * @param {any} analysis the answer that is shown, or null
 */
export function showQuestion(q, analysis) {
  for (const button of buttons()) setAttribute(button, "aria-pressed", button.dataset.question === q);
  const answer = byId("answer");
  const text = q && analysis?.words.questions[q];
  setHidden(answer, !q || (analysis !== null && !text)); // a close-up of a long sequence answers none
  if (text) answer.replaceChildren(set(text), make("small", {}, byId("badge").textContent ?? ""));
}

function buttons() {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-question]"));
}
