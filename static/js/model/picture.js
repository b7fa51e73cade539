/** One picture of a trace: over the steps, marked with all others, or over the updates with a mark of its own. */

import { Chart } from "../figures/chart.js";
import { entries, withoutKey } from "../lib/deeper-key.js";
import { make } from "../lib/dom.js";
import { MODEL_READOUTS, MODEL_TABLES } from "../lib/model-tables.js";
import { listenStepKeys } from "../pages/step-keys.js";
import { keyEntry } from "../panels/key-entry.js";

/** @typedef {import("../lib/model-tables.js").View} View */
/** @typedef {import("../lib/model-tables.js").Place} Place */

const OVER_UPDATES = ["parameters", "memory"];

export class ModelPicture {
  /**
   * @param {HTMLElement} root
   * @param {any} plotly
   * @param {{point: (step: number) => void, place: () => Place, last: () => number}} page
   */
  constructor(root, plotly, page) {
    this.page = page;
    this.updates = OVER_UPDATES.includes(root.dataset.figure ?? "");
    this.chart = new Chart(root, plotly, (step) => (this.updates ? this.go(this.entryOf(step)) : page.point(step)));
    this.chart.table = () => MODEL_TABLES[this.chart.name](this.view, page.place());
    this.at = 0;
    /** @type {View | null} */
    this.view = null;
    /** @type {any} with its key, for the PNG */
    this.figure = null;
    this.key = make("ul", { class: "deeper-key" });
    root.querySelector(".plot-frame")?.before(this.key);
    listenStepKeys(this.chart.surface, () => this.where(), (step) => (this.updates ? this.go(step) : page.point(step)));
    this.keepKeyInPng();
  }

  /**
   * Returns the entry that an update belongs to: of many updates each stands for several.
   * @private
   * @param {number} update
   */
  entryOf(update) {
    const first = this.view?.updates?.first ?? [0];
    return first.length > 1 ? Math.floor(update / (first[1] - first[0])) : 0;
  }

  /** @private */
  where() {
    if (!this.view) return null;
    return this.updates ? { step: this.at, last: this.view.updates.first.length - 1 } : { step: this.page.place().at, last: this.page.last() };
  }

  /** @private */
  keepKeyInPng() {
    const { host } = this.chart;
    const png = host.png.bind(host);
    host.png = () => {
      const shown = host.figure;
      host.figure = this.figure;
      const made = png();
      host.figure = shown;
      return made;
    };
  }

  /**
   * Shows a trace's picture, or hides the card of one that has no numbers.
   * @param {View} view
   */
  show(view) {
    const { name } = this.chart;
    const { row } = this.page.place();
    const wanted = name === "credit" ? (view.figures[`credit:${row}`] ? `credit:${row}` : "staircase") : name;
    this.view = view;
    this.figure = view.figures[wanted] ?? null;
    this.chart.root.hidden = this.figure === null;
    if (this.figure === null) return;
    this.chart.host.measure();
    this.key.replaceChildren(...entries(this.figure).map(keyEntry));
    this.chart.host.rest(withoutKey(this.figure));
    this.chart.say(wanted.startsWith("credit:") ? `${view.captions.staircase} ${view.captions[wanted] ?? ""}` : view.captions[wanted]);
    this.chart.fillTable();
    if (this.updates) this.go(0);
  }

  /** Draws anew, in other colours or another size. */
  refresh() {
    if (!this.view || this.chart.root.hidden) return;
    this.chart.host.measure();
    this.chart.host.refresh();
    if (this.updates) this.go(this.at);
  }

  /** Marks the step that is marked everywhere. */
  mark() {
    if (!this.view || this.updates || this.chart.root.hidden) return;
    const place = this.page.place();
    this.chart.mark(place.at, this.chart.name === "credit" ? place.loss : null);
    this.chart.read(MODEL_READOUTS[this.chart.name](this.view, place), place.at, this.page.last());
  }

  /**
   * Marks an update.
   * @private
   * @param {number} update
   */
  go(update) {
    if (!this.view || !this.view.updates) return;
    const last = this.view.updates.first.length - 1;
    this.at = Math.min(last, Math.max(0, update));
    this.chart.mark(this.view.updates.first[this.at], null);
    this.chart.read(MODEL_READOUTS[this.chart.name](this.view, { ...this.page.place(), at: this.at }), this.at, last);
  }
}
