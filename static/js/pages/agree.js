/** Does it agree?: asks for one result after the other, so that this page never holds more than one compute process. */

import { agreement } from "../api.js";
import { smallPicture } from "../figures/small.js";
import { claimed, computed, tally, tolerance } from "../lib/agreement.js";
import { byId, make, setText } from "../lib/dom.js";
import { chrome } from "./chrome.js";

/** @typedef {import("../lib/agreement.js").Check} Check */
/** @typedef {{method: string, checks: Check[], measured: {name: string, computed: number}[], agrees: boolean, sentence: string,
 *   picture: import("../lib/small-layout.js").Picture}} Result */

chrome({ recolour: () => {}, resize: () => {}, link: () => location.href });
const cards = [...document.querySelectorAll("[data-result]")];
/** @type {boolean[]} */
const verdicts = [];
let failed = 0;
await showAll();

async function showAll() {
  for (const card of cards) {
    setText(part(card, "verdict"), "computing\u2026");
    try {
      const result = await agreement(String(card.getAttribute("data-result")));
      show(card, result);
      verdicts.push(result.agrees);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      failed += 1;
      refuse(card, error.message);
    }
    setText(byId("tally"), tally(verdicts, cards.length, failed));
  }
}

/**
 * @param {Element} card
 * @param {string} name
 */
function part(card, name) {
  const found = card.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`a result's card has no part ${name}`);
  return found;
}

/**
 * @param {Element} card
 * @param {Result} result
 */
function show(card, result) {
  const verdict = part(card, "verdict");
  verdict.dataset.status = result.agrees ? "passed" : "failed";
  setText(verdict, result.agrees ? "agrees" : "does not agree");
  setText(part(card, "method"), result.method);
  setText(part(card, "sentence"), result.sentence);
  part(card, "picture").replaceChildren(...smallPicture(result.picture));
  part(card, "numbers").querySelector("div")?.replaceChildren(table(result));
}

/**
 * @param {Element} card
 * @param {string} reason
 */
function refuse(card, reason) {
  const verdict = part(card, "verdict");
  verdict.dataset.status = "failed";
  setText(verdict, "not computed");
  setText(part(card, "sentence"), reason);
}

/** @param {Result} result */
function table({ checks, measured }) {
  const columns = ["number", "claimed", "computed", "may differ by", "verdict"];
  const rows = checks.map((check) => make("tr", {}, make("td", {}, check.name), make("td", {}, claimed(check.claimed)),
    make("td", {}, computed(check.computed, check.claimed)), make("td", {}, tolerance(check.tolerance)),
    make("td", { class: check.agrees ? "yes" : "no" }, check.agrees ? "agrees" : "does not agree")));
  const beside = measured.map(({ name, computed: value }) => make("tr", {}, make("td", {}, name), make("td", {}, "no claim"),
    make("td", {}, computed(value, 1)), make("td", {}, ""), make("td", {}, "for comparison")));
  return make("table", {}, make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows, ...beside));
}
