/** The frame of a picture on the page: its sentence, readout, table, downloads and marked step. */

import { make, save, setAttribute, setText } from "../lib/dom.js";
import { csv, number, set } from "../lib/format.js";

const MOST_CELLS = 60_000;

/**
 * @typedef {{sentence: HTMLElement, readout: HTMLElement, surface: HTMLElement, cursor: HTMLElement, plot: HTMLElement | null}} Parts
 */

export class Card {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.name = root.dataset.figure ?? "";
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part=${name}]`));
    this.sentence = part("sentence");
    this.readout = part("readout");
    this.surface = part("surface");
    this.cursor = part("cursor");
    this.plot = part("plot");
    this.details = /** @type {HTMLDetailsElement} */ (part("table"));
    this.hint = this.readout.textContent ?? "";
    /** @type {() => import("../lib/tables.js").Table} */
    this.table = () => ({ columns: [], rows: [], note: "" });
    this.details.addEventListener("toggle", () => this.fillTable());
    this.button("csv")?.addEventListener("click", () => this.saveCsv());
  }

  /** @param {string} act */
  button(act) {
    return this.root.querySelector(`[data-act=${act}]`);
  }

  /** @param {string} text */
  say(text) {
    setText(this.sentence, set(text));
  }

  /**
   * Says what the marked step has here; it is also what a screen reader hears on the picture.
   * @param {string} text
   * @param {number} step
   * @param {number} last
   */
  read(text, step, last) {
    setText(this.readout, text);
    for (const [name, value] of Object.entries({ "aria-valuenow": step, "aria-valuemax": last, "aria-valuetext": text })) setAttribute(this.surface, name, value);
  }

  /** Writes the table, if it is open. */
  fillTable() {
    const box = this.details.querySelector(".table-scroll");
    if (!this.details.open || !box) return;
    const { columns, rows, note } = this.table();
    const most = Math.max(1, Math.floor(MOST_CELLS / columns.length));
    const cut = rows.length > most ? ` The first ${most} of ${rows.length} rows; the CSV has all of them.` : "";
    const cell = (/** @type {string | number} */ value) => make("td", {}, typeof value === "number" ? (Number.isInteger(value) ? String(value) : number(value)) : value);
    box.replaceChildren(make("table", {}, make("caption", {}, note + cut),
      make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows.slice(0, most).map((row) => make("tr", {}, ...row.map(cell))))));
  }

  saveCsv() {
    save(`unrolled-${this.name}.csv`, new Blob([csv(this.table())], { type: "text/csv;charset=utf-8" }));
  }
}
