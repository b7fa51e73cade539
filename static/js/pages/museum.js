/** The bug museum's list, and the finder above it. */

import { findBugs } from "../api.js";
import { byId, make } from "../lib/dom.js";
import { chrome } from "./chrome.js";

/** @typedef {{name: string, likely: boolean, reasons: string[]}} Suspect */

chrome({ recolour: () => {}, resize: () => {}, link: () => location.href });
const text = /** @type {HTMLTextAreaElement} */ (byId("finder-text"));
const button = /** @type {HTMLButtonElement} */ (byId("finder-find"));
const answer = byId("finder-answer");
byId("finder").addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});

async function ask() {
  if (!text.value.trim()) {
    answer.replaceChildren(make("p", {}, "Paste something first: an error message, a stack trace, or your loop."));
    text.focus();
    return;
  }
  button.disabled = true;
  try {
    const { suspects, sentence } = await findBugs(text.value);
    answer.replaceChildren(make("p", {}, sentence), ...(suspects.length ? [make("ol", {}, ...suspects.map(entry))] : []));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    answer.replaceChildren(make("p", { class: "notice" }, error.message));
  } finally {
    button.disabled = false;
  }
}

/** @param {Suspect} suspect */
function entry({ name, likely, reasons }) {
  const title = document.querySelector(`[data-bug="${name}"] h2`)?.textContent ?? name;
  return make("li", { class: "suspect" },
    make("div", { class: "suspect-head" }, make("a", { href: `/bugs/${encodeURIComponent(name)}` }, title),
      make("span", { class: "suspect-kind" }, likely ? "likely" : "possible")),
    ...reasons.map((reason) => make("p", {}, reason)));
}
