/** The Explore page: what the person chose, what the engine answered, and the pictures of it. */

import * as api from "../api.js";
import { costLine } from "../controls/cost.js";
import { panel } from "../controls/panel.js";
import { Chart } from "../figures/chart.js";
import { loadPlotly } from "../figures/plotly-host.js";
import { byId, setText } from "../lib/dom.js";
import { set } from "../lib/format.js";
import { Newest } from "../lib/newest.js";
import { READOUTS } from "../lib/readouts.js";
import { firstOf, lastOf } from "../lib/steps.js";
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
import { explain, instead, notice, showBusy } from "./messages.js";
import { listenQuestions, showQuestion } from "./question.js";
import { listenStepKeys } from "./step-keys.js";
import { StripPanel } from "./strip-panel.js";
import { pickedLoss } from "./strip-source.js";
import { Trained } from "./trained.js";

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
    /** @type {number | null} the marked step */
    this.step = null;
    this.strip = new StripPanel({ pick: (s, resting) => this.pick(s, resting), point: (t) => this.point(t), look: (change, resting) => this.look(change, resting) });
    this.charts = new Charts({ plotly: byId("explore").dataset.plotly ?? "", point: (t) => this.point(t), ready: (chart) => this.adopt(chart) });
    this.panel = panel(byId("controls"), this.catalogue, (name, value, resting) => this.choose({ [name]: value }, resting), (config) => this.replace(config, ""));
    const cost = costLine();
    byId("controls").append(cost.element);
    this.costs = new Newest((config, signal) => api.estimate(config, options, signal), cost.show, () => {});
    this.long = new LongView(options, (range, resting) => this.look(range, resting));
    this.trained = new Trained(options, () => this.replace(this.state.config, ""));
    this.requests = new Newest((config, signal) => this.long.analysis(config, this.state.view, signal, this.trained.given),
      (answer, config) => this.answered(answer, config), (error) => this.refused(error), { busy: showBusy });
    this.checks = new Newest((config, signal) => this.long.certificate(config, signal, this.trained.given),
      (answer) => this.certified(answer), (error) => this.refused(error), { patience: 0 });
    this.again = new Again(() => this.ask());
    this.code = new CodePanel(options, () => this.strip.strip.scene?.edges ?? []);
    this.deeper = mount(byId("deeper"), { options, trained: this.trained, plotly: () => loadPlotly(byId("explore").dataset.plotly ?? ""), point: (t) => this.point(t),
      keys: (surface) => this.listenKeys(surface), opened: (names) => this.opened(names) });
    this.deeper.open(state.view.deep);
    this.listen();
    this.ask();
    if (unknown.length) notice(`The address has names that mean nothing here and were left out: ${unknown.join(", ")}.`);
    this.warned = unknown.length > 0;
  }

  listen() {
    listenQuestions((name) => this.question(name));
    chrome({ recolour: () => this.recolour(), resize: () => this.resize(), link: () => {
      const lost = this.address.lost(this.state);
      if (lost) notice(lost);
      return this.address.link(this.state);
    } });
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
    this.listenKeys(card.surface, card === this.strip.card);
    if (this.step !== null) this.mark(card, this.step);
  }

  /**
   * The arrow keys move the marked step, in whatever picture they are pressed.
   * @param {HTMLElement} surface
   * @param {boolean} [follow] whether the strip's view follows
   */
  listenKeys(surface, follow = false) {
    listenStepKeys(surface, () => this.analysis && { step: this.step ?? 0, last: lastOf(this.analysis) }, (t) => {
      if (follow) this.strip.strip.follow(t - firstOf(this.analysis));
      this.point(t);
    });
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
    this.address.write(this.state, resting);
    this.ask();
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
    const s = pickedLoss(this.analysis, asked).s + firstOf(this.analysis);
    const { from, to } = this.state.view;
    const inSight = from === null || to === null || (s >= from && s < to);
    this.look({ s, at: null, ...(inSight ? {} : { from: null, to: null }) }, resting);
    this.point(s);
  }

  /**
   * @param {Partial<import("../state.js").View>} change
   * @param {boolean} resting
   */
  look(change, resting) {
    Object.assign(this.state.view, change);
    this.address.write(this.state, resting);
    if ("from" in change && isLong(this.state.config)) this.requests.ask({ ...this.state.config });
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
    this.panel.show(this.state.config);
    showQuestion(this.state.view.q, this.analysis);
    awaitCertificate();
    this.again.stop();
    this.checks.cancel();
    this.costs.ask({ ...this.state.config });
    this.requests.ask({ ...this.state.config });
  }

  async fetchWeights() {
    const problem = await this.trained.load(this.state, location.search);
    if (problem) notice(problem);
    this.warned ||= problem !== "";
    this.address.settle(this.state);
    this.ask();
  }

  /**
   * @param {any} answer
   * @param {import("../state.js").Config} config
   */
  answered(answer, config) {
    this.analysis = answer;
    this.panel.complain([]);
    this.again.done();
    if (!this.warned) notice("");
    this.draw();
    this.deeper.show(config, { title: answer.plan.title, error: answer.costs.whole.relative_error });
    markPixels();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(config), REST_MS);
  }

  /** @param {import("../state.js").Config} config */
  rest(config) {
    if (!this.requests.idle || !sameConfig(config, this.state.config, this.catalogue.options)) return;
    for (const card of this.cards()) card.fillTable();
    this.charts.settle(() => this.requests.idle);
    this.checks.ask(config);
    this.code.show(config);
    setText(byId("spoken"), byId("headline").textContent ?? "");
  }

  /** @param {any} answer */
  certified(answer) {
    showCertificate(answer);
    showQuestion(this.state.view.q, this.analysis);
  }

  /** @param {unknown} error */
  refused(error) {
    noCertificate();
    const other = this.analysis === null ? instead(error, this.state.config, this.catalogue.options) : null;
    if (other) {
      this.warned = true;
      notice(other.words);
      Object.assign(this.state.config, other.change);
      this.ask();
      return;
    }
    explain(error, (problems) => this.panel.complain(problems), this.analysis !== null, this.again.later(error));
    if (!(error instanceof api.Refused) && !(error instanceof TypeError)) throw error;
  }

  // ---- what is seen

  draw() {
    setText(byId("headline"), set(this.analysis.words.headline));
    this.strip.draw(this.analysis, this.state.view, this.long);
    this.charts.draw(this.analysis);
    showQuestion(this.state.view.q, this.analysis);
    this.point(this.step ?? pickedLoss(this.analysis, this.state.view.s).s + firstOf(this.analysis));
    if (!this.charts.loading) this.charts.load().then(markAll);
  }

  drawStrip() {
    if (!this.analysis) return;
    this.strip.draw(this.analysis, this.state.view, this.long);
    if (this.step !== null) this.point(this.step);
  }

  /**
   * Marks a step in every picture at once.
   * @param {number} t
   */
  point(t) {
    if (!this.analysis) return;
    this.step = Math.max(firstOf(this.analysis), Math.min(t, lastOf(this.analysis)));
    this.strip.strip.point(this.step - firstOf(this.analysis));
    this.code.mark(Boolean(this.analysis.plan.cut[this.step - firstOf(this.analysis)]));
    for (const card of this.cards()) this.mark(card, this.step);
    this.deeper.mark(this.step);
  }

  /**
   * @param {import("../figures/card.js").Card} card
   * @param {number} t
   */
  mark(card, t) {
    const { s, row } = pickedLoss(this.analysis, this.state.view.s);
    if (card instanceof Chart) card.mark(t, card.name === "credit" && row >= 0 ? s + firstOf(this.analysis) : null);
    card.read(READOUTS[card.name](this.analysis, t - firstOf(this.analysis), row), t, lastOf(this.analysis));
  }

  cards() {
    return [this.strip.card, ...this.charts.all.values()];
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
      if (this.step !== null) this.point(this.step);
    }, 80);
  }
}

new Explore();
