/** One picture of a deeper panel: over the steps, marked with all others, or over an axis of its own with its own mark. */

import { Chart } from "../figures/chart.js";
import { AXES, nearest } from "../lib/deeper-axes.js";
import { entries, withoutKey } from "../lib/deeper-key.js";
import { DEEPER_READOUTS, DEEPER_TABLES } from "../lib/deeper-tables.js";
import { DEEPER_SENTENCES } from "../lib/deeper-words.js";
import { make } from "../lib/dom.js";
import { keyEntry } from "./key-entry.js";

/** @typedef {import("../lib/deeper-words.js").InForce} InForce */

/** @type {Record<string, number>} */
const MOVES = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };

export class DeeperPicture {
  /**
   * @param {HTMLElement} root its name in data-deeper; the page finds its own pictures by data-figure
   * @param {any} plotly
   * @param {{point: (step: number) => void, keys: (surface: HTMLElement) => void}} page how the page marks a step
   */
  constructor(root, plotly, page) {
    root.dataset.figure = root.dataset.deeper;
    this.own = AXES[root.dataset.deeper ?? ""] ?? null;
    this.chart = new Chart(root, plotly, this.own ? () => {} : page.point);
    root.removeAttribute("data-figure");
    this.chart.table = () => DEEPER_TABLES[this.name](this.analysis);
    /** @type {any} */
    this.analysis = null;
    /** @type {number[]} what lies along its own axis */
    this.values = [];
    this.at = -1; // nowhere yet
    /** @type {any} with its key, for the PNG */
    this.figure = null;
    this.key = make("ul", { class: "deeper-key" });
    root.querySelector(".plot-frame")?.before(this.key);
    this.keepKeyInPng();
    if (this.own) this.listen(this.own);
    else page.keys(this.chart.surface);
  }

  get name() {
    return this.chart.name;
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
   * @private
   * @param {import("../lib/deeper-axes.js").OwnAxis} own
   */
  listen(own) {
    const { surface } = this.chart;
    this.chart.timed = false;
    this.chart.readout.textContent = `Point at a ${own.word}, or use the arrow keys.`;
    surface.setAttribute("aria-label", (surface.getAttribute("aria-label") ?? "").replace(/^Step/, own.word[0].toUpperCase() + own.word.slice(1)));
    surface.addEventListener("pointermove", (event) => {
      const axis = this.chart.host.timeAxis();
      if (!axis) return;
      const share = (event.clientX - surface.getBoundingClientRect().left - axis.left) / axis.width;
      this.go(nearest(this.values, axis.range[0] + share * (axis.range[1] - axis.range[0]), own.log));
    });
    surface.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.go(this.at + move * (event.shiftKey ? 10 : 1));
    });
  }

  /**
   * Shows a panel's answer.
   * @param {any} analysis
   * @param {any} figure
   * @param {InForce} inForce
   */
  show(analysis, figure, inForce) {
    this.analysis = analysis;
    this.chart.root.hidden = figure === undefined;
    if (figure === undefined) return;
    this.chart.host.measure();
    this.draw(figure);
    this.say(inForce);
    this.chart.fillTable();
    if (!this.own) return;
    this.values = this.own.values(analysis);
    this.chart.surface.setAttribute("aria-valuemax", String(Math.max(0, this.values.length - 1)));
    if (this.at >= 0) this.go(this.at);
  }

  /** @param {any} figure */
  draw(figure) {
    this.figure = figure;
    this.key.replaceChildren(...entries(figure).map(keyEntry));
    this.chart.host.rest(withoutKey(figure));
  }

  /** @param {InForce} inForce */
  say(inForce) {
    this.chart.say(DEEPER_SENTENCES[this.name](this.analysis, inForce));
  }

  /** Draws anew, in other colours or another size. */
  refresh() {
    if (this.chart.root.hidden || !this.analysis) return;
    this.chart.host.measure();
    this.chart.host.refresh();
    if (this.at >= 0) this.go(this.at);
  }

  /**
   * Marks the step that is marked everywhere.
   * @param {number} step
   */
  mark(step) {
    if (this.own || this.chart.root.hidden || !this.analysis) return;
    const last = this.analysis.plan.cut.length - 1;
    const t = Math.min(step, last);
    this.chart.mark(t, null);
    this.chart.read(DEEPER_READOUTS[this.name](this.analysis, t), t, last);
  }

  /**
   * Marks a place on its own axis.
   * @private
   * @param {number} i
   */
  go(i) {
    const axis = this.chart.host.timeAxis();
    const last = this.values.length - 1;
    if (!this.own || last < 0) return;
    this.at = Math.min(last, Math.max(0, i));
    this.chart.read(DEEPER_READOUTS[this.name](this.analysis, this.at), this.at, last);
    this.chart.cursor.hidden = axis === null;
    if (!axis) return;
    const value = this.own.log ? Math.log10(this.values[this.at]) : this.values[this.at];
    const left = axis.left + ((value - axis.range[0]) / (axis.range[1] - axis.range[0])) * axis.width;
    Object.assign(this.chart.cursor.style, { left: `${left - 1}px`, width: "2px", top: `${axis.top}px`, height: `${axis.height}px` });
  }
}
