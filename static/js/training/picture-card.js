/** One picture of a run over the tokens: drawn by the server's figure, with the moment that is picked marked in it. */

import { Chart } from "../figures/chart.js";
import { entries, withoutKey } from "../lib/deeper-key.js";
import { setText } from "../lib/dom.js";
import { keyEntry } from "../panels/key-entry.js";
import { rowWords } from "./row-words.js";

/** @typedef {{title: string, figure: any, sentence: string, table: import("../lib/tables.js").Table}} Picture */

const UNMARKED = ["costs"];

export class PictureCard {
  /**
   * @param {HTMLElement} root
   * @param {any} plotly
   * @param {{point: (tokens: number) => void, keys: (surface: HTMLElement) => void}} page how a moment is picked
   */
  constructor(root, plotly, page) {
    this.root = root;
    this.chart = new Chart(root, plotly, () => {});
    this.chart.timed = false;
    this.heading = root.querySelector("h2");
    this.key = document.createElement("ul");
    this.key.className = "deeper-key";
    root.querySelector(".plot-frame")?.before(this.key);
    /** @type {Picture | null} */
    this.picture = null;
    this.marked = !UNMARKED.includes(this.chart.name);
    this.chart.table = () => this.table();
    this.keepKeyInPng();
    if (this.marked) this.listen(page);
    else this.unmark();
  }

  /** @private */
  unmark() {
    this.chart.surface.remove();
    this.chart.readout.remove();
  }

  get name() {
    return this.chart.name;
  }

  /**
   * @private
   * @param {{point: (tokens: number) => void, keys: (surface: HTMLElement) => void}} page
   */
  listen(page) {
    const { surface } = this.chart;
    const pick = (/** @type {PointerEvent} */ event) => {
      const axis = this.chart.host.timeAxis();
      if (!axis) return;
      const share = (event.clientX - surface.getBoundingClientRect().left - axis.left) / axis.width;
      page.point(axis.range[0] + share * (axis.range[1] - axis.range[0]));
    };
    surface.addEventListener("pointermove", (event) => (event.pointerType === "mouse" || event.buttons) && pick(event));
    surface.addEventListener("pointerdown", pick);
    page.keys(surface);
  }

  /** @private */
  keepKeyInPng() {
    const { host } = this.chart;
    const png = host.png.bind(host);
    host.png = () => {
      const shown = host.figure;
      host.figure = this.picture?.figure ?? shown;
      const made = png();
      host.figure = shown;
      return made;
    };
  }

  /** @param {Picture} picture */
  show(picture) {
    this.picture = picture;
    this.chart.host.measure();
    this.entitle(picture.title);
    const found = entries(picture.figure);
    const said = JSON.stringify(found);
    if (this.key.dataset.said !== said) this.key.replaceChildren(...found.map(keyEntry));
    this.key.dataset.said = said;
    this.chart.host.rest(withoutKey(picture.figure));
    this.chart.say(picture.sentence);
    this.chart.fillTable();
  }

  /**
   * Says what the picture is of, wherever it is said.
   * @private
   * @param {string} title
   */
  entitle(title) {
    if (!this.heading || this.heading.textContent === title) return;
    setText(this.heading, title);
    this.chart.surface.setAttribute("aria-label", `Moment, in: ${title}`);
    this.root.querySelector(".table-scroll")?.setAttribute("aria-label", `${title}: table`);
    for (const act of ["csv", "png"]) this.chart.button(act)?.setAttribute("aria-label", `${title}: save as ${act.toUpperCase()}`);
  }

  /**
   * Marks a moment, and says what the picture has there.
   * @param {number} tokens
   * @param {number} index of the moment
   * @param {number} last
   */
  mark(tokens, index, last) {
    if (!this.marked || !this.picture) return;
    this.chart.read(rowWords(this.table(), tokens) || this.chart.hint, index, last);
    const axis = this.chart.host.timeAxis();
    this.chart.cursor.hidden = axis === null;
    if (!axis) return;
    const left = axis.left + ((tokens - axis.range[0]) / (axis.range[1] - axis.range[0])) * axis.width;
    Object.assign(this.chart.cursor.style, { left: `${left - 1}px`, width: "2px", top: `${axis.top}px`, height: `${axis.height}px` });
  }

  /** Draws anew, in other colours or another size. */
  refresh() {
    this.chart.host.measure();
    this.chart.host.refresh();
  }

  /** @private */
  table() {
    const { columns, rows, note } = this.picture?.table ?? { columns: [], rows: [], note: "" };
    return { columns: Array.from(columns), rows: Array.from(rows, (row) => Array.from(row)), note };
  }
}
