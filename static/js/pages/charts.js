/** All of the page's Plotly pictures: loaded after the first picture, drawn together ever after. */

import { Chart } from "../figures/chart.js";
import { loadPlotly } from "../figures/plotly-host.js";
import { SENTENCES } from "../lib/sentences.js";
import { distance, turn } from "../lib/turns.js";

export class Charts {
  /**
   * @param {{plotly: string, point: (step: number) => void, ready: (chart: Chart) => void}} page
   *   plotly: the address of its script; ready: told of each picture once it is made
   */
  constructor(page) {
    this.page = page;
    /** @type {Map<string, Chart>} */
    this.all = new Map();
    this.loading = false;
    /** @type {any} the analysis that is shown */
    this.analysis = null;
  }

  /**
   * Draws every picture that is there; one whose numbers are still on their way stays as it is.
   * @param {any} analysis
   * @param {string} [awaited] its name
   */
  draw(analysis, awaited = "") {
    this.analysis = analysis;
    for (const chart of this.all.values()) if (chart.name !== awaited) this.drawOne(chart);
  }

  /**
   * Draws the picture of what has come.
   * @param {string} name
   */
  complete(name) {
    const chart = this.all.get(name);
    if (chart) this.drawOne(chart);
  }

  /**
   * @private
   * @param {Chart} chart
   */
  drawOne(chart) {
    chart.host.draw(this.analysis.figures[chart.name]);
    chart.say(SENTENCES[chart.name](this.analysis));
  }

  /** Returns Plotly itself. */
  plotly() {
    return loadPlotly(this.page.plotly);
  }

  /** Makes every picture, those nearest to what is in sight first, and lets the page breathe in between. */
  async load() {
    if (this.loading) return;
    this.loading = true;
    const plotly = await this.plotly();
    const waiting = new Set(/** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("main > .figures [data-figure]")));
    while (waiting.size) {
      const root = [...waiting].reduce((best, one) => (distance(one) < distance(best) ? one : best));
      waiting.delete(root);
      await turn(distance(root) === 0);
      const chart = new Chart(root, plotly, this.page.point);
      chart.host.measure();
      this.all.set(chart.name, chart);
      this.drawOne(chart);
      this.page.ready(chart);
    }
  }

  /**
   * Lets Plotly draw one picture a turn, so that a slider that moves again is heard in between.
   * @param {() => boolean} idle
   */
  async settle(idle) {
    for (const chart of [...this.all.values()]) {
      if (!idle()) return;
      chart.host.settle();
      await turn(true);
    }
  }

  /** Draws anew in the size that the page now gives. */
  resize() {
    for (const chart of this.all.values()) if (chart.host.measure()) chart.host.refresh();
  }

  /** Draws anew in the theme's colours. */
  refresh() {
    for (const chart of this.all.values()) chart.host.refresh();
  }
}
