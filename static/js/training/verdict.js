/** The verdict: the sentence, large; what else was compared; how it was made. */

import { byId, make, setText } from "../lib/dom.js";
import { set } from "../lib/format.js";
import { share } from "./run.js";

/** @param {import("./run.js").Run} run */
export function showVerdict(run) {
  const { verdict } = run;
  const headline = verdict?.headline ?? "";
  byId("verdict").hidden = !headline;
  setText(byId("verdict-kind"), run.status === "done" ? "Verdict" : `Preliminary, with ${share(run.share)} of the tokens trained on`);
  setText(byId("verdict-headline"), signed(headline));
  const others = (verdict?.comparisons ?? []).map((/** @type {any} */ one) => one.text).filter((/** @type {string} */ text) => text && text !== headline);
  list(byId("verdict-others"), others);
  list(byId("verdict-notes"), verdict?.notes ?? []);
  byId("verdict-more").hidden = others.length + (verdict?.notes ?? []).length === 0;
}

/**
 * Says to who listens what has changed: how the run stands without its numbers, and the verdict when it is final.
 * @param {import("./run.js").Run} run
 */
export function speak(run) {
  const final = run.over && run.verdict ? ` ${run.verdict.headline}` : "";
  setText(byId("spoken"), `The run is ${SPOKEN[run.status] ?? run.status}.${final}`);
}

/** @type {Record<string, string>} */
const SPOKEN = { queued: "waiting", cancelled: "stopped" };

/**
 * Returns a sentence with minus signs in place of hyphens.
 * @param {string} text
 */
function signed(text) {
  return set(text).replace(/(^|[\s(])-(?=\d)/g, "$1\u2212");
}

/**
 * @param {HTMLElement} root
 * @param {string[]} texts
 */
function list(root, texts) {
  const said = JSON.stringify(texts);
  if (root.dataset.said === said) return;
  root.dataset.said = said;
  root.replaceChildren(...texts.map((text) => make("li", {}, signed(text))));
}
