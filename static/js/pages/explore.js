/** The Explore page: what the person chose, what the engine answered, and the pictures of it. */

import * as api from "../api.js";
import { Card } from "../figures/card.js";
import { Chart } from "../figures/chart.js";
import { drawKey } from "../figures/key.js";
import { loadPlotly } from "../figures/plotly-host.js";
import { Strip } from "../figures/strip.js";
import { panel } from "../controls/panel.js";
import { byId, make, save, setText } from "../lib/dom.js";
import { Newest } from "../lib/newest.js";
import { READOUTS } from "../lib/readouts.js";
import { SENTENCES } from "../lib/sentences.js";
import { CodePanel } from "../panels/code.js";
import { TABLES } from "../lib/tables.js";
import { configOf, fromSearch, sameConfig, toSearch, wholeView } from "../state.js";
import { awaitCertificate, showCertificate } from "./certificate.js";
import { chrome } from "./chrome.js";
import { stripData, stripSentence, stripView } from "./strip-source.js";
import { Transport } from "./transport.js";

const REST_MS = 160; // after so long without a change, Plotly draws for itself and the certificate is asked for

class Explore {
  constructor() {
    /** @type {import("../controls/panel.js").Catalogue} */
    this.catalogue = JSON.parse(byId("catalogue").textContent ?? "");
    const { state, unknown } = fromSearch(location.search, this.catalogue.options);
    this.state = restored(state);
    /** @type {any} the last good answer */
    this.analysis = null;
    /** @type {Map<string, Chart>} */
    this.charts = new Map();
    this.stripCard = new Card(/** @type {HTMLElement} */ (document.querySelector("[data-figure=strip]")));
    /** @type {number | null} the marked step */
    this.step = null;
    /** @type {string} the query of the last entry that was pushed */
    this.pushed = location.search;
    /** @type {Promise<any> | null} Plotly, on its way */
    this.plotly = null;
    this.strip = new Strip(this.stripCard.root, {
      pick: (t) => this.pick(this.nearestLoss(t), true), point: (t) => this.point(t),
      look: (from, to, resting) => this.look({ from, to }, resting) });
    this.transport = new Transport({ pick: (s, resting) => this.pick(s, resting), reach: (at, resting) => this.look({ at }, resting) });
    this.panel = panel(byId("controls"), this.catalogue, (name, value, resting) => this.choose({ [name]: value }, resting), (config) => this.replace(config, ""));
    this.requests = new Newest((config, signal) => api.analysis(config, this.catalogue.options, signal),
      (answer, config) => this.answered(answer, config), (error) => this.refused(error), { busy: (busy) => this.busy(busy) });
    this.checks = new Newest((config, signal) => api.certificate(config, this.catalogue.options, signal),
      (answer) => this.certified(answer), (error) => this.refused(error), { patience: 0 });
    this.code = new CodePanel(this.catalogue.options, () => this.strip.scene?.edges ?? []);
    this.listen();
    if (unknown.length) this.notice(`The address has names that mean nothing here and were left out: ${unknown.join(", ")}.`);
    this.ask();
  }

  listen() {
    for (const button of document.querySelectorAll("[data-question]")) button.addEventListener("click", () => this.question(/** @type {HTMLElement} */ (button).dataset.question ?? ""));
    chrome({ recolour: () => this.recolour(), resize: () => this.resize(),
      link: () => location.origin + location.pathname + toSearch(this.state, this.catalogue.options, { whole: true }) });
    addEventListener("popstate", () => {
      this.state = restored(fromSearch(location.search, this.catalogue.options).state);
      this.pushed = location.search;
      this.moving = false;
      this.ask();
    });
    new ResizeObserver(() => this.resize()).observe(byId("main"));
    this.stripCard.table = () => TABLES.strip(this.analysis, this.row());
    this.stripCard.button("png")?.addEventListener("click", async () => save("unrolled-strip.png", await this.strip.png()));
    for (const [id, act] of Object.entries({ "zoom-in": () => this.strip.zoom(0.5), "zoom-out": () => this.strip.zoom(2), "pan-left": () => this.strip.pan(-0.5),
      "pan-right": () => this.strip.pan(0.5), "zoom-all": () => this.look({ from: null, to: null }, true) })) byId(id).addEventListener("click", act);
    this.listenKeys(this.strip.surface);
  }

  /**
   * The arrow keys move the marked step, in whatever picture they are pressed.
   * @param {HTMLElement} surface
   */
  listenKeys(surface) {
    surface.addEventListener("keydown", (event) => {
      if (!this.analysis || event.ctrlKey || event.metaKey || event.altKey) return;
      const last = this.analysis.plan.cut.length - 1;
      const from = this.step ?? this.state.view.s ?? last;
      const page = event.shiftKey ? 10 : 1;
      /** @type {Record<string, number>} */
      const goal = { ArrowLeft: from - page, ArrowDown: from - page, ArrowRight: from + page, ArrowUp: from + page, PageDown: from - 10, PageUp: from + 10, Home: 0, End: last };
      if (!(event.key in goal)) return;
      event.preventDefault();
      this.point(Math.min(last, Math.max(0, goal[event.key])));
    });
  }

  // ---- what the person chooses

  /**
   * @param {Record<string, import("../state.js").Value>} change
   * @param {boolean} resting
   */
  choose(change, resting) {
    performance.mark("slider");
    Object.assign(this.state.config, change);
    this.write(resting);
    this.ask();
  }

  /**
   * @param {import("../state.js").Config} config
   * @param {string} q the question it answers
   */
  replace(config, q) {
    this.transport.stop();
    this.state = { config, view: { ...wholeView(), q } };
    this.write(true);
    this.ask();
  }

  /** @param {string} name */
  question(name) {
    const question = this.catalogue.questions.find((candidate) => candidate.name === name);
    if (question) this.replace(configOf(question.config, this.catalogue.options), name);
  }

  /**
   * @param {number} s
   * @param {boolean} resting
   */
  pick(s, resting) {
    this.look({ s, at: null }, resting);
    this.point(s);
  }

  /**
   * @param {Partial<import("../state.js").View>} change
   * @param {boolean} resting
   */
  look(change, resting) {
    Object.assign(this.state.view, change);
    this.write(resting);
    this.drawStrip();
  }

  /**
   * Writes the view into the address: a new entry when the person has settled on it.
   * @param {boolean} resting
   */
  write(resting) {
    const search = toSearch(this.state, this.catalogue.options);
    const address = location.pathname + search;
    const kept = { config: this.state.config };
    const moved = search !== this.pushed;
    if (resting && moved) {
      if (this.moving) history.replaceState(kept, "", address);
      else history.pushState(kept, "", address);
      this.pushed = search;
      this.moving = false;
    } else if (!resting) {
      if (!this.moving && moved) history.pushState(kept, "", address);
      else history.replaceState(kept, "", address);
      this.moving = true;
    } else this.moving = false;
  }

  // ---- what the engine answers

  ask() {
    this.panel.show(this.state.config);
    this.showQuestion();
    awaitCertificate();
    this.checks.cancel();
    this.requests.ask({ ...this.state.config });
  }

  /**
   * @param {any} answer
   * @param {import("../state.js").Config} config
   */
  answered(answer, config) {
    this.analysis = answer;
    this.panel.complain([]);
    this.notice("");
    document.body.classList.remove("stale");
    this.draw();
    this.measured();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(config), REST_MS);
  }

  /** @param {import("../state.js").Config} config */
  rest(config) {
    if (!this.requests.idle || !sameConfig(config, this.state.config, this.catalogue.options)) return;
    for (const card of [this.stripCard, ...this.charts.values()]) card.fillTable();
    this.settle([...this.charts.values()]);
    this.checks.ask(config);
    this.code.show(config);
    setText(byId("spoken"), byId("headline").textContent ?? "");
  }

  /**
   * Lets Plotly draw one picture a turn, so that a slider that moves again is heard in between.
   * @param {Chart[]} charts
   */
  settle(charts) {
    const [first, ...others] = charts;
    if (!first || !this.requests.idle) return;
    first.host.settle();
    setTimeout(() => this.settle(others));
  }

  /** @param {any} answer */
  certified(answer) {
    this.certificate = showCertificate(answer);
    this.showQuestion();
  }

  /** @param {unknown} error */
  refused(error) {
    const problems = error instanceof api.Refused ? error.problems : [];
    const others = this.panel.complain(problems);
    document.body.classList.add("stale");
    const text = others.map((problem) => `${problem.field} = ${problem.value}: ${problem.limit}. ${problem.remedy}`).join(" ");
    const kept = this.analysis ? " The pictures still show the last choice that could be computed." : "";
    if (problems.length === 0) this.notice(`${error instanceof Error ? error.message : String(error)}.${kept}`);
    else this.notice(text ? text + kept : `${problems.length === 1 ? "One choice" : "Some choices"} cannot be used: see beside the control.${kept}`);
    if (!(error instanceof api.Refused) && !(error instanceof TypeError)) throw error;
  }

  // ---- what is seen

  draw() {
    const { words } = this.analysis;
    setText(byId("headline"), words.headline);
    this.drawStrip();
    for (const [name, chart] of this.charts) this.drawChart(name, chart);
    this.showQuestion();
    if (this.charts.size === 0) this.loadCharts();
    this.point(this.step ?? this.state.view.s ?? this.analysis.sequence.loss_steps.at(-1));
  }

  /**
   * @param {string} name
   * @param {Chart} chart
   */
  drawChart(name, chart) {
    chart.host.draw(this.analysis.figures[name]);
    chart.say(SENTENCES[name](this.analysis));
  }

  drawStrip() {
    if (!this.analysis) return;
    const { s, row, view } = stripView(this.analysis, this.state.view);
    const truncated = this.analysis.plan.reach.some((/** @type {number} */ r) => r > 0) || this.analysis.plan.window_starts.length > 1;
    this.currentRow = row;
    this.strip.measure();
    this.strip.draw(stripData(this.analysis, row), view, truncated);
    this.stripCard.say(stripSentence(this.analysis, s, row));
    this.transport.show(Array.from(this.analysis.credit.loss_steps), s, view.at);
    if (this.keyed !== truncated) drawKey(byId("strip-key"), truncated);
    this.keyed = truncated;
    if (this.step !== null) this.point(this.step);
  }

  async loadCharts() {
    if (this.plotly) return;
    this.plotly = loadPlotly(/** @type {HTMLElement} */ (byId("explore")).dataset.plotly ?? "");
    const plotly = await this.plotly;
    for (const root of document.querySelectorAll("[data-figure]:not([data-figure=strip])")) {
      const chart = new Chart(/** @type {HTMLElement} */ (root), plotly, (t) => this.point(t));
      chart.table = () => TABLES[chart.name](this.analysis, this.row());
      this.listenKeys(chart.surface);
      chart.host.measure();
      this.charts.set(chart.name, chart);
      await new Promise((resolve) => setTimeout(resolve));
      this.drawChart(chart.name, chart);
    }
    this.point(this.step ?? 0);
    performance.mark("all-drawn");
  }

  /**
   * Marks a step in every picture at once.
   * @param {number} t
   */
  point(t) {
    const last = this.analysis.plan.cut.length - 1;
    this.step = Math.min(t, last);
    const row = this.row();
    const s = this.analysis.credit.loss_steps[row];
    this.strip.point(this.step);
    this.code.mark(Boolean(this.analysis.plan.cut[this.step]));
    for (const card of [this.stripCard, ...this.charts.values()]) {
      if (card instanceof Chart) card.mark(this.step, card.name === "credit" ? s : null);
      card.read(READOUTS[card.name](this.analysis, this.step, row), this.step, last);
    }
  }

  row() {
    return this.currentRow ?? 0;
  }

  /** @param {number} t */
  nearestLoss(t) {
    const losses = /** @type {number[]} */ (Array.from(this.analysis.credit.loss_steps));
    return losses.reduce((best, s) => (Math.abs(s - t) < Math.abs(best - t) ? s : best), losses[0]);
  }

  showQuestion() {
    const { q } = this.state.view;
    for (const button of document.querySelectorAll("[data-question]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.question === q));
    const answer = byId("answer");
    const text = q && this.analysis?.words.questions[q];
    answer.hidden = !q;
    if (!text) return;
    answer.replaceChildren(text, make("small", {}, byId("badge").textContent ?? ""));
  }

  /** @param {string} text */
  notice(text) {
    setText(byId("notice"), text);
    byId("notice").hidden = text === "";
  }

  /** @param {boolean} busy */
  busy(busy) {
    byId("progress").hidden = !busy;
    byId("main").setAttribute("aria-busy", String(busy));
  }

  recolour() {
    this.strip.redraw();
    for (const chart of this.charts.values()) chart.host.refresh();
  }

  resize() {
    if (this.strip.measure()) this.drawStrip();
    clearTimeout(this.resizing);
    this.resizing = setTimeout(() => {
      for (const chart of this.charts.values()) if (chart.host.measure()) chart.host.refresh();
      if (this.step !== null && this.analysis) this.point(this.step);
    }, 80);
  }

  /** Leaves a mark at the first frame after a change was drawn, for the benchmark. */
  measured() {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        performance.mark("pixels");
        if (performance.getEntriesByName("slider").length) performance.measure("slider-to-pixels", "slider", "pixels");
      };
      channel.port2.postMessage(null);
    });
  }
}

/**
 * Returns the state with what was too long for the address, which the history keeps.
 * @param {import("../state.js").State} state
 */
function restored(state) {
  const kept = history.state?.config;
  if (!kept) return state;
  const long = Object.fromEntries(["text", "series"].flatMap((name) => (kept[name] && !state.config[name] ? [[name, kept[name]]] : [])));
  return { ...state, config: { ...state.config, ...long } };
}

new Explore();
