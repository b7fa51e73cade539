/** The Explore page: what the person chose, what the engine answered, and the pictures of it. */

import { Refused } from "../api.js";
import { costLine } from "../controls/cost.js";
import { panel } from "../controls/panel.js";
import { loadPlotly } from "../figures/plotly-host.js";
import { byId, setText } from "../lib/dom.js";
import { set } from "../lib/format.js";
import { Newest } from "../lib/newest.js";
import { firstOf } from "../lib/steps.js";
import { TABLES } from "../lib/tables.js";
import { CodePanel } from "../panels/code.js";
import { mount } from "../panels/deeper.js";
import { configOf, sameConfig, wholeView } from "../state.js";
import { Address } from "./address.js";
import { Again } from "./again.js";
import { awaitCertificate, noCertificate, showCertificate } from "./certificate.js";
import { Charts } from "./charts.js";
import { chrome } from "./chrome.js";
import { markAll, markChange, markPixels } from "./marks.js";
import { LongView, isLong } from "./long.js";
import { Matrix, awhile } from "./matrix.js";
import { explain, instead, notice, showBusy } from "./messages.js";
import { Pointer } from "./pointer.js";
import { listenQuestions, showQuestion } from "./question.js";
import { StripPanel } from "./strip-panel.js";
import { hasRow, nearestLoss, pickedLoss } from "./strip-source.js";
import { Trained } from "./trained.js";
import { Waiting } from "./waiting.js";

const PATIENCE_MS = 400; // an answer that takes longer is given up for a newer choice
const REST_MS = 160; // after so long without a change, Plotly draws for itself and the certificate is asked for

class Explore {
  constructor() {
    /** @type {import("../controls/panel.js").Catalogue} */
    this.catalogue = JSON.parse(byId("catalogue").textContent ?? "");
    const { options } = this.catalogue;
    this.address = new Address(options);
    const { state, unknown } = this.address.read();
    this.state = state;
    /** @type {any} the last good answer */
    this.analysis = null;
    /** @type {import("../state.js").Config | null} its config */
    this.shown = null;
    this.pointer = new Pointer({ shown: () => ({ analysis: this.analysis, s: this.state.view.s }), cards: () => [this.strip.card, ...this.charts.all.values()], moved: (step, { plan, first = 0 }) => {
      this.strip.strip.point(step - first);
      this.code.mark(Boolean(plan.cut[step - first]));
      this.deeper.mark(step);
    } });
    this.strip = new StripPanel({ pick: (s, resting) => this.pick(s, resting), point: (t) => this.pointer.to(t), look: (change, resting) => this.look(change, resting) });
    this.charts = new Charts({ plotly: byId("explore").dataset.plotly ?? "", point: (t) => this.pointer.to(t), ready: (chart) => this.adopt(chart) });
    this.panel = panel(byId("controls"), this.catalogue, (name, value, resting) => this.choose({ [name]: value }, resting), (config) => this.replace(config, ""));
    this.cost = costLine(options);
    byId("controls").append(this.cost.element);
    this.long = new LongView(options, (range, resting) => this.look(range, resting));
    this.trained = new Trained(options, () => this.replace(this.state.config, ""));
    this.requests = new Newest((config, signal) => this.compute(config, signal), () => this.finished(), (error) => this.refused(error),
      { busy: showBusy, patience: PATIENCE_MS });
    this.matrix = new Matrix(options, this.trained, () => this.matrixCame());
    this.waiting = new Waiting(/** @type {HTMLElement} */ (document.querySelector("[data-figure=credit]")));
    this.checks = new Newest((config, signal) => this.long.certificate(config, signal, this.trained.given),
      (answer) => [showCertificate(answer), showQuestion(this.state.view.q, this.analysis)], (error) => this.refused(error), { patience: 0 });
    this.again = new Again(() => this.ask());
    this.code = new CodePanel(options, () => this.strip.strip.scene?.edges ?? []);
    this.deeper = mount(byId("deeper"), { options, trained: this.trained, plotly: () => loadPlotly(byId("explore").dataset.plotly ?? ""), point: (t) => this.pointer.to(t),
      keys: (surface) => this.pointer.keys(surface), opened: (names) => this.opened(names) });
    this.deeper.open(state.view.deep);
    this.listen();
    this.ask();
    if (unknown.length) notice(`The address has names that mean nothing here and were left out: ${unknown.join(", ")}.`);
    this.warned = unknown.length > 0;
  }

  listen() {
    listenQuestions((name) => this.question(name));
    chrome({ recolour: () => this.recolour(), resize: () => this.resize(), link: () => this.address.link(this.state, notice) });
    addEventListener("popstate", () => {
      this.state = this.address.returned();
      this.deeper.open(this.state.view.deep);
      this.ask();
    });
    new ResizeObserver(() => this.resize()).observe(byId("main"));
    this.adopt(this.strip.card);
  }

  /**
   * Makes a picture one of the page's: its table, and the keys that step through it.
   * @param {import("../figures/card.js").Card} card
   */
  adopt(card) {
    card.table = () => TABLES[card.name](this.analysis, pickedLoss(this.analysis, this.state.view.s).row);
    this.pointer.keys(card.surface, card === this.strip.card ? (t) => this.strip.strip.follow(t) : undefined);
    this.pointer.mark(card);
  }

  // ---- what the person chooses

  /**
   * @param {Record<string, import("../state.js").Value>} change
   * @param {boolean} resting
   */
  choose(change, resting) {
    markChange();
    this.warned = false;
    Object.assign(this.state.config, change);
    this.ask(); // first, so that the server computes while the page goes on
    this.address.write(this.state, resting);
  }

  /**
   * @param {import("../state.js").Config} config
   * @param {string} q the question it answers
   */
  replace(config, q) {
    this.strip.transport.stop();
    this.warned = false;
    this.state = { config, view: { ...wholeView(), q, deep: this.state.view.deep } };
    this.address.write(this.state, true);
    this.ask();
  }

  /** @param {string} name */
  question(name) {
    const question = this.catalogue.questions.find((candidate) => candidate.name === name);
    if (question) this.replace(configOf(question.config, this.catalogue.options), name);
  }

  /**
   * @param {number} asked the loss step, or one near it
   * @param {boolean} resting
   */
  pick(asked, resting) {
    if (!this.analysis) return;
    const s = nearestLoss(this.analysis, asked) + firstOf(this.analysis);
    const { from, to } = this.state.view;
    const inSight = from === null || to === null || (s >= from && s < to);
    this.look({ s, at: null, ...(inSight ? {} : { from: null, to: null }) }, resting);
    this.pointer.to(s);
  }

  /**
   * @param {Partial<import("../state.js").View>} change
   * @param {boolean} resting
   */
  look(change, resting) {
    Object.assign(this.state.view, change);
    this.address.write(this.state, resting);
    const absent = "from" in change && isLong(this.state.config) || "s" in change && !hasRow(this.analysis, this.state.view.s);
    if (absent) this.requests.ask({ ...this.state.config });
    else this.drawStrip();
  }

  /** @param {string} names of the deeper panels that are open */
  opened(names) {
    if (names === this.state.view.deep) return;
    this.state.view.deep = names;
    this.address.write(this.state, true);
  }

  // ---- what the engine answers

  ask() {
    if (this.trained.name !== this.state.view.moment) return this.fetchWeights();
    this.again.stop();
    this.checks.cancel();
    this.cost.ask({ ...this.state.config });
    this.requests.ask({ ...this.state.config });
    this.panel.show(this.state.config);
    showQuestion(this.state.view.q, this.analysis);
    awaitCertificate();
  }

  async fetchWeights() {
    const problem = await this.trained.load(this.state, location.search);
    if (problem) notice(problem);
    this.warned ||= problem !== "";
    this.address.settle(this.state);
    this.ask();
  }

  /**
   * Shows the analysis of a config as soon as it is there. Its credit matrix, which another core computes, is waited for unless it is slow.
   * @param {import("../state.js").Config} config
   * @param {AbortSignal} signal
   */
  async compute(config, signal) {
    this.matrix.giveUp(config);
    const analysis = this.long.analysis(config, this.state.view, signal, this.trained.given);
    const matrix = this.matrix.ask(config);
    matrix.catch(() => {}); // if the analysis or its drawing fails too, one is told
    const answer = await analysis;
    await this.matrix.soon();
    this.answered(answer, config);
    await awhile(matrix, this.matrix.patience, (error) => this.refused(error));
  }

  /**
   * @param {any} answer
   * @param {import("../state.js").Config} config
   */
  answered(answer, config) {
    this.analysis = answer;
    this.shown = config;
    const whole = this.matrix.complete(answer, config);
    this.panel.complain([]);
    this.draw(whole);
    this.deeper.show(config, { title: answer.plan.title, error: answer.costs.whole.relative_error });
    markPixels(whole);
    this.restSoon(config);
  }

  /** The credit matrix is there, or the reason why there is none. */
  matrixCame() {
    if (!this.analysis?.row || !this.shown || !this.matrix.knows(this.shown)) return;
    this.matrix.complete(this.analysis, this.shown);
    this.charts.complete("credit");
    this.waiting.set(false);
    if (pickedLoss(this.analysis, this.state.view.s).s !== this.analysis.row.loss_step) this.drawStrip();
    else this.pointer.again();
    markPixels(true);
    this.restSoon(this.shown);
  }

  /** What was asked for last is there. */
  finished() {
    this.again.done();
    if (!this.warned) notice("");
  }

  /** @param {import("../state.js").Config} config */
  restSoon(config) {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(config), REST_MS);
  }

  /** @param {import("../state.js").Config} config */
  rest(config) {
    if (!this.requests.idle || !this.matrix.idle || !sameConfig(config, this.state.config, this.catalogue.options)) return;
    for (const card of [this.strip.card, ...this.charts.all.values()]) card.fillTable();
    this.charts.settle(() => this.requests.idle);
    this.checks.ask(config);
    this.code.show(config);
    setText(byId("spoken"), byId("headline").textContent ?? "");
  }

  /** @param {unknown} error */
  refused(error) {
    noCertificate();
    this.waiting.rest();
    const other = this.analysis === null ? instead(error, this.state.config, this.catalogue.options) : null;
    if (other) {
      this.warned = true;
      notice(other.words);
      Object.assign(this.state.config, other.change);
      return this.ask();
    }
    explain(error, (problems) => this.panel.complain(problems), this.shown && sameConfig(this.shown, this.state.config, this.catalogue.options), this.again.later(error));
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
  }

  // ---- what is seen

  /** @param {boolean} whole whether the credit matrix is there */
  draw(whole) {
    setText(byId("headline"), set(this.analysis.words.headline));
    this.strip.draw(this.analysis, this.state.view, this.long);
    this.charts.draw(this.analysis, whole ? "" : "credit");
    this.waiting.set(!whole);
    showQuestion(this.state.view.q, this.analysis);
    this.pointer.to(this.pointer.step ?? pickedLoss(this.analysis, this.state.view.s).s + firstOf(this.analysis));
    if (!this.charts.loading) this.charts.load().then(markAll);
  }

  drawStrip() {
    if (!this.analysis) return;
    this.strip.draw(this.analysis, this.state.view, this.long);
    this.pointer.again();
  }

  recolour() {
    this.long.draw();
    this.strip.strip.redraw();
    this.charts.refresh();
    this.deeper.refresh();
  }

  resize() {
    if (this.strip.strip.measure()) this.drawStrip();
    clearTimeout(this.resizing);
    this.resizing = setTimeout(() => {
      this.charts.resize();
      this.deeper.refresh();
      this.pointer.again();
    }, 80);
  }
}

new Explore();
