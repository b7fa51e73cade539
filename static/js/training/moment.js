/** The moment that is picked: one slider for every picture and sample, by pointer or keys; it follows the newest until it is moved. */

import { byId, make, setText } from "../lib/dom.js";
import { nearest } from "../lib/deeper-axes.js";
import { strategyName, tokenWord } from "./lab.js";
import { momentsOf, seedsOf } from "./run.js";
import { swatch } from "./swatch.js";

/** The explorer reads characters, and series of one column. @param {any} lab */
const opens = (lab) => !(lab.task === "text" && lab.vocabulary === "word") && !(lab.task === "series" && lab.series.length > 1);

/** @type {Record<string, number>} */
const MOVES = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5, Home: -Infinity, End: Infinity };

export class MomentPicker {
  /** @param {{moved: () => void, chosen: () => void}} page moved: another moment; chosen: another seed or measure */
  constructor(page) {
    this.page = page;
    this.slider = /** @type {HTMLInputElement} */ (byId("moment"));
    this.seeds = /** @type {HTMLSelectElement} */ (byId("seed-shown"));
    this.measures = /** @type {HTMLSelectElement} */ (byId("measure"));
    /** @type {number | null} tokens; null follows the newest */
    this.at = null;
    /** @type {number[]} */
    this.moments = [];
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.seeds.addEventListener("change", () => page.chosen());
    this.measures.addEventListener("change", () => page.chosen());
  }

  get seed() {
    return Number(this.seeds.value);
  }

  get measure() {
    return this.measures.value;
  }

  get index() {
    if (!this.moments.length) return 0;
    return this.at === null ? this.moments.length - 1 : nearest(this.moments, this.at, false);
  }

  get tokens() {
    return this.moments[this.index] ?? 0;
  }

  /**
   * Takes a new run: its seeds, and in what its loss may be shown.
   * @param {import("./run.js").Run} run
   * @param {URLSearchParams} view
   */
  begin(run, view) {
    const seeds = seedsOf(run.lab);
    this.seeds.replaceChildren(...seeds.map((seed) => make("option", { value: seed }, String(seed))));
    this.seeds.value = seeds.includes(Number(view.get("seed"))) ? String(Number(view.get("seed"))) : String(seeds[0]);
    this.seeds.closest("label")?.toggleAttribute("hidden", seeds.length < 2);
    const values = run.lab.task === "adding" || run.lab.task === "series";
    this.measures.closest("label")?.toggleAttribute("hidden", values);
    this.measures.value = values ? "nats" : ["bits", "perplexity"].find((name) => name === view.get("measure")) ?? "nats";
    this.at = /^\d{1,9}$/.test(view.get("at") ?? "") ? Number(view.get("at")) : null;
    this.moments = [];
  }

  /** @param {import("./run.js").Run} run */
  show(run) {
    this.moments = momentsOf(run, this.seed);
    const { index } = this;
    const last = Math.max(0, this.moments.length - 1);
    Object.assign(this.slider, { max: String(last), value: String(index) });
    const text = this.moments.length ? `after ${this.tokens.toLocaleString("en")} ${tokenWord(run.lab)}` : "none yet";
    this.slider.setAttribute("aria-valuetext", text);
    setText(byId("moment-value"), text);
    this.showLinks(run);
  }

  /**
   * The weights are kept of some moments only: a link leads to the last one that has them.
   * @private
   * @param {import("./run.js").Run} run
   */
  showLinks(run) {
    const lanes = opens(run.lab) ? [...run.lanes.values()].filter((lane) => lane.seed === this.seed) : [];
    const links = lanes.map((lane) => ({ lane, moment: lane.moments.filter((moment) => moment.weights && moment.tokens <= this.tokens).at(-1) }));
    const said = links.map(({ lane, moment }) => `${run.id}.${lane.name}.${moment?.tokens}`).join(" ");
    const root = byId("open-moment");
    root.closest("p")?.toggleAttribute("hidden", lanes.length === 0);
    if (root.dataset.said === said) return;
    root.dataset.said = said;
    root.replaceChildren(...links.map(({ lane, moment }) => {
      const name = strategyName(run.lab.strategies[lane.strategy]);
      if (!moment) return make("span", {}, `${name}: not yet`);
      return make("a", { class: "button small", href: `/?moment=${run.id}.${lane.name}.${moment.tokens}`,
        title: `The weights after ${moment.tokens.toLocaleString("en")} ${tokenWord(run.lab)}` }, swatch(lane.strategy), name);
    }));
  }

  /** @param {number} index */
  go(index) {
    const last = this.moments.length - 1;
    if (last < 0) return;
    const place = Math.min(last, Math.max(0, index));
    this.at = place === last ? null : this.moments[place];
    this.page.moved();
  }

  /**
   * Picks the moment that is nearest to so many tokens.
   * @param {number} tokens
   */
  point(tokens) {
    if (this.moments.length) this.go(nearest(this.moments, tokens, false));
  }

  /**
   * The arrow keys move the moment, in whatever picture they are pressed.
   * @param {HTMLElement} surface
   */
  keys(surface) {
    surface.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.go(this.index + move);
    });
  }

  /** Returns what of the view is worth an address. */
  query() {
    const query = new URLSearchParams();
    if (this.seeds.selectedIndex > 0) query.set("seed", this.seeds.value);
    if (this.at !== null) query.set("at", String(this.at));
    if (this.measure !== "nats") query.set("measure", this.measure);
    return query;
  }
}
