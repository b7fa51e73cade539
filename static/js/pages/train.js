/** The training page: an experiment is chosen and started; its run is watched, by whoever has its address. */

import { Refused } from "../api.js";
import { byId, setText } from "../lib/dom.js";
import { Newest } from "../lib/newest.js";
import { labFrom, labQuery, runOf } from "../training/address.js";
import { Bar } from "../training/bar.js";
import { words } from "../training/controls.js";
import { showEarlier } from "../training/earlier.js";
import { estimateWords } from "../training/estimate.js";
import { Form } from "../training/form.js";
import { asBody, labOf } from "../training/lab.js";
import { MomentPicker } from "../training/moment.js";
import { Notices } from "../training/notices.js";
import { Pictures } from "../training/pictures.js";
import { showSamples } from "../training/samples.js";
import * as service from "../training/service.js";
import { showStandings } from "../training/standings.js";
import { showVerdict, speak } from "../training/verdict.js";
import { Watch } from "../training/watch.js";
import { chrome } from "./chrome.js";

const DRAWN = ["point", "moment", "lane", "verdict", "state", "strategy"]; // events after which the pictures are others

class Train {
  constructor() {
    /** @type {import("../training/lab.js").LabCatalogue} */
    this.catalogue = JSON.parse(byId("catalogue").textContent ?? "");
    this.form = new Form(byId("controls"), this.catalogue, (lab) => this.changed(lab));
    this.bar = new Bar({ start: () => this.start(), control: (action) => this.act(action), rate: (rate) => this.act("rate", rate) });
    this.moment = new MomentPicker({ moved: () => this.look(), chosen: () => this.choose() });
    this.pictures = new Pictures({ plotly: byId("train").dataset.plotly ?? "", point: (tokens) => this.moment.point(tokens), keys: (surface) => this.moment.keys(surface),
      failed: (error) => this.undrawn(error), drawn: (verdict) => this.drawn(verdict) });
    this.estimates = new Newest((lab, signal) => service.estimate(lab, signal), (cost) => this.estimated(cost), (error) => this.refused(error));
    /** @type {Watch | null} */
    this.watch = null;
    this.notices = new Notices();
    this.missing = false; // whether the last pictures could not be had
    this.key = ""; // of the start that is under way, or whose answer was lost
    this.listen();
    this.route();
  }

  get run() {
    return this.watch?.run ?? null;
  }

  listen() {
    chrome({ recolour: () => this.pictures.refresh(), resize: () => this.resize(), link: () => location.href });
    addEventListener("popstate", () => this.route());
    new ResizeObserver(() => this.resize()).observe(byId("main"));
  }

  /** Shows what the address says: a run, or an experiment that has not been started. */
  async route() {
    this.leave();
    const id = runOf(location.pathname);
    if (!id) {
      const { lab, problem } = labFrom(location.search, this.catalogue);
      this.show(lab);
      this.notices.say("address", problem);
      this.bar.show(null);
      await this.earlier("");
    } else await this.open(id);
  }

  /** @param {string} id */
  async open(id) {
    setText(byId("status"), "Fetching the run\u2026");
    try {
      this.attend(await service.summary(id));
    } catch (error) {
      this.show(labOf(this.catalogue.presets[0].lab, this.catalogue));
      this.bar.show(null);
      this.failed("run", error);
      if (error instanceof TypeError) this.again = setTimeout(() => this.route(), 3000);
    }
    await this.earlier(id);
  }

  /** @param {string} id */
  async earlier(id) {
    try {
      await showEarlier(id);
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof Refused)) throw error; // a list that cannot be had is not missed
    }
  }

  /**
   * Watches a run.
   * @param {any} summary
   * @param {import("../training/lab.js").Lab | null} lab as it was started from this page; a summary leaves out what is long
   */
  attend(summary, lab = null) {
    this.notices.clear();
    this.watch = new Watch(summary, { changed: (kinds) => this.update(kinds), said: (text) => this.connection(text) });
    this.show(lab ?? labOf(summary.lab, this.catalogue), false);
    if (!lab) this.form.leftOut(summary.lab.left_out ?? {});
    this.moment.begin(this.watch.run, new URLSearchParams(location.search));
    byId("seen").hidden = false;
    setText(byId("run-title"), summary.title || "The run");
    for (const [name, end] of Object.entries({ csv: "results.csv", json: "results", report: "report" })) byId(`result-${name}`).setAttribute("href", `${service.place(summary.id)}/${end}`);
    this.update(new Set(DRAWN));
  }

  leave() {
    clearTimeout(this.again);
    this.watch?.close();
    this.watch = null;
    this.notices.clear();
    this.pictures.clear();
    byId("seen").hidden = true;
    byId("verdict").hidden = true;
    setText(byId("run-title"), "A new run");
  }

  // ---- what the person chooses

  /**
   * Shows a lab in the form.
   * @param {import("../training/lab.js").Lab} lab
   * @param {boolean} [ask] whether its cost is asked for
   */
  show(lab, ask = true) {
    this.form.show(lab);
    this.form.complain([]);
    if (ask) this.estimates.ask(asBody(lab, this.catalogue));
    else setText(byId("estimate"), "");
  }

  /** @param {import("../training/lab.js").Lab} lab */
  changed(lab) {
    this.key = "";
    this.estimates.ask(asBody(lab, this.catalogue));
    if (!this.run) history.replaceState(null, "", `/train${labQuery(lab, this.catalogue)}`);
  }

  async start() {
    this.key ||= Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.bar.starting(true);
    const { lab } = this.form;
    try {
      const summary = await service.start(asBody(lab, this.catalogue), this.key);
      this.key = "";
      this.leave();
      history.pushState(null, "", `/train/${summary.id}`);
      this.attend(summary, lab);
      await this.earlier(summary.id);
    } catch (error) {
      this.refused(error);
    } finally {
      this.bar.starting(false);
      this.bar.show(this.run);
    }
  }

  /**
   * @param {"pause" | "resume" | "step" | "stop" | "rate"} action
   * @param {number} [rate]
   */
  async act(action, rate) {
    const { watch } = this;
    if (!watch) return;
    this.bar.complain("");
    this.notices.say("run", "");
    try {
      watch.adopt(await service.control(watch.run.id, action, rate));
    } catch (error) {
      const problems = error instanceof Refused ? error.problems : [];
      if (action === "rate" && problems.length) this.bar.complain(problems.map(words).join(" "));
      else this.failed("run", error);
    }
  }

  // ---- what the server answers

  /** @param {any} cost */
  estimated(cost) {
    this.form.complain([]);
    this.notices.say("choice", "");
    setText(byId("estimate"), estimateWords(cost));
  }

  /**
   * Says what is wrong beside the controls that are to blame.
   * @param {unknown} error
   */
  refused(error) {
    const problems = error instanceof Refused ? error.problems : [];
    const others = this.form.complain(problems);
    setText(byId("estimate"), "");
    if (problems.length && !others.length) this.notices.say("choice", `${problems.length === 1 ? "One choice" : "Some choices"} cannot be used: see beside the control.`);
    else this.failed("choice", error);
  }

  /**
   * @param {import("../training/notices.js").Source} source
   * @param {unknown} error
   */
  failed(source, error) {
    if (error instanceof Refused) this.notices.say(source, error.problems.map((problem) => `${problem.field} = ${words(problem)}`).join(" ") || `${error.message}.`);
    else if (error instanceof TypeError) this.notices.say(source, "The server does not answer. If it has stopped, start it again, and try once more.");
    else throw error;
  }

  /** @param {unknown} error */
  undrawn(error) {
    this.missing = true;
    if (!(error instanceof TypeError)) this.failed("pictures", error); // that the server is gone is said by the watch
  }

  /**
   * The watch says whether the server answers; when it does again, the pictures are asked for again.
   * @param {string} text
   */
  connection(text) {
    if (text === "" && this.missing) this.draw();
    this.notices.say("connection", text);
  }

  // ---- what is seen

  /** @param {Set<string>} kinds of events that have come */
  update(kinds) {
    const { run } = this;
    if (!run) return;
    this.bar.show(run);
    showVerdict(run);
    speak(run);
    this.moment.show(run);
    showStandings(byId("standings"), run, this.moment.measure);
    showSamples(byId("samples"), run, this.moment.seed, this.moment.index);
    if (DRAWN.some((kind) => kinds.has(kind))) this.draw();
    this.mark();
  }

  /** @param {any} verdict so far */
  drawn(verdict) {
    this.missing = false;
    this.notices.say("pictures", "");
    if (this.run && !this.run.over) {
      this.run.verdict = verdict;
      showVerdict(this.run);
    }
    this.mark();
  }

  /** Empty pictures are not asked for: those with the first point would have to wait for them. */
  draw() {
    if (this.run?.begun) this.pictures.ask(this.run.id, { seed: this.moment.seed, measure: this.moment.measure });
  }

  /** Another moment is picked. */
  look() {
    const { run } = this;
    if (!run) return;
    this.moment.show(run);
    showSamples(byId("samples"), run, this.moment.seed, this.moment.index);
    this.mark();
    this.remember();
  }

  /** Another seed, or another measure. */
  choose() {
    this.look();
    this.draw();
    if (this.run) showStandings(byId("standings"), this.run, this.moment.measure);
  }

  remember() {
    const query = this.moment.query().toString();
    history.replaceState(null, "", location.pathname + (query ? `?${query}` : ""));
  }

  mark() {
    const { index, tokens, moments } = this.moment;
    if (moments.length) this.pictures.mark(tokens, index, moments.length - 1);
  }

  resize() {
    clearTimeout(this.resizing);
    this.resizing = setTimeout(() => {
      this.pictures.refresh();
      this.mark();
    }, 80);
  }
}

new Train();
