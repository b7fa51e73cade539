/** One exhibit of the bug museum: asks for its numbers and pictures, and shows them. */

import { exhibit } from "../api.js";
import { creditMap, mapKey } from "../figures/credit-map.js";
import { smallPicture } from "../figures/small.js";
import { amount, tableRows } from "../lib/credit-map.js";
import { make, setText } from "../lib/dom.js";
import { set } from "../lib/format.js";
import { chrome } from "./chrome.js";

/** @typedef {{name: string, broken: number | null, mended: number | null, unit: string}} Amount */
/** @typedef {{method: string, amounts: Amount[], maps: import("../lib/credit-map.js").Maps, sentence: string,
 *   picture: import("../lib/small-layout.js").Picture | null}} Exhibit */

chrome({ recolour: () => {}, resize: () => {}, link: () => location.href });
for (const program of document.querySelectorAll("[data-program]")) copying(program);
await showAll();

async function showAll() {
  const name = document.querySelector("[data-exhibit]")?.getAttribute("data-exhibit") ?? "";
  try {
    show(await exhibit(name));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    setText(part("maps-sentence"), error.message);
    setText(part("sentence"), "Not computed.");
  }
  document.querySelector(".maps")?.setAttribute("aria-busy", "false");
}

/** @param {string} name */
function part(name) {
  const found = document.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no part ${name}`);
  return found;
}

/** @param {Exhibit} found */
function show({ method, amounts, maps, picture, sentence }) {
  setText(part("maps-sentence"), set(maps.sentence));
  setText(part("maps-quantity"), `Both on one absolute scale: ${maps.quantity}.`);
  document.querySelector('[data-map="broken"]')?.replaceChildren(...creditMap(maps, maps.broken));
  document.querySelector('[data-map="mended"]')?.replaceChildren(...creditMap(maps, maps.mended));
  part("map-key").replaceChildren(...mapKey(maps));
  part("map-table").addEventListener("toggle", () => fill(maps), { once: true });
  setText(part("sentence"), set(sentence));
  setText(part("method"), set(method));
  part("amounts").replaceChildren(table(["number", "broken", "mended"],
    amounts.map(({ name, broken, mended, unit }) => [name, amount(broken, unit), amount(mended, unit)])));
  if (picture) part("picture").replaceChildren(...smallPicture(picture));
}

/** @param {import("../lib/credit-map.js").Maps} maps */
function fill(maps) {
  part("map-table").querySelector("div")?.replaceChildren(
    table([maps.row_title, maps.column_title, maps.broken.title, maps.mended.title], tableRows(maps)));
}

/**
 * @param {string[]} columns
 * @param {string[][]} rows
 */
function table(columns, rows) {
  return make("table", {}, make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell))))));
}

/**
 * Lets a program be copied: its lines, without the gaps and marks that stand between them here.
 * @param {Element} program
 */
function copying(program) {
  const button = program.querySelector("button");
  const text = program.querySelector("pre");
  if (!button || !text) throw new Error("a program has no button or no text");
  button.addEventListener("click", async () => {
    const lines = [...text.querySelectorAll(".code-line:not(.gap)")].map((line) => line.lastChild?.textContent ?? "");
    try {
      await navigator.clipboard.writeText(`${lines.join("\n")}\n`);
      setText(button, "Copied");
    } catch (error) {
      if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error;
      getSelection()?.selectAllChildren(text); // no clipboard here: the person copies it
      setText(button, "Selected");
    }
    setTimeout(() => setText(button, "Copy"), 1500);
  });
}
