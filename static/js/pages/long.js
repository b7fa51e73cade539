/** A long sequence: its overview, the range that is picked in it, and what is asked of the server for the two. */

import * as api from "../api.js";
import { HEIGHT, paintOverview, spanOf, stepAt } from "../figures/overview.js";
import { byId, setHidden, setText } from "../lib/dom.js";
import { byKey, dragged, moved, rangeOf, stretched } from "../lib/range.js";
import { sameConfig } from "../state.js";

export const LONG = 2000; // steps; of fewer every picture shows all

/** @typedef {import("../lib/range.js").Range} Range */
/** @typedef {import("../state.js").Config} Config */

export class LongView {
  /**
   * @param {import("../state.js").Option[]} options
   * @param {(range: Range, resting: boolean) => void} pick
   */
  constructor(options, pick) {
    this.options = options;
    this.pick = pick;
    this.card = byId("overview");
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("overview-canvas"));
    this.surface = byId("overview-surface");
    /** @type {{config: Config, given: api.Given, answer: any} | null} the overview that is shown */
    this.shown = null;
    /** @type {Range} */
    this.range = { from: 0, to: 1 };
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.card);
  }

  /**
   * Returns the analysis of a config: of a long one, the close-up of the steps that the view asks for, after its overview.
   * @param {Config} config
   * @param {{s: number | null, from: number | null, to: number | null}} view
   * @param {AbortSignal} signal
   * @param {api.Given} given
   */
  async analysis(config, view, signal, given) {
    if (!isLong(config)) {
      this.shown = null;
      setHidden(this.card, true);
      return api.analysis(config, view.s, this.options, signal, given);
    }
    if (!this.knows(config, given)) {
      const answer = await api.long(config, this.options, signal, given);
      this.shown = { config: { ...config }, given, answer };
      setHidden(this.card, false);
    }
    const { answer } = /** @type {NonNullable<LongView["shown"]>} */ (this.shown);
    this.range = rangeOf(view, answer.steps);
    this.draw();
    return closeUp(await api.closeup(config, this.options, this.range, given), answer);
  }

  /**
   * Returns the certificates of a config.
   * @param {Config} config
   * @param {AbortSignal} signal
   * @param {api.Given} given
   */
  async certificate(config, signal, given) {
    if (!isLong(config)) return api.certificate(config, this.options, signal, given);
    const { certificate, certificate_full, words } = await api.long(config, this.options, signal, given, true);
    return { certificate, certificate_full, sentence: words.certificate };
  }

  /**
   * @private
   * @param {Config} config
   * @param {api.Given} given
   */
  knows(config, given) {
    return this.shown !== null && this.shown.given === given && sameConfig(this.shown.config, config, this.options);
  }

  /** @param {number} factor above 1 shows more steps */
  zoom(factor) {
    this.choose(stretched(this.range, factor, this.shown?.answer.steps), true);
  }

  /** @param {number} share of the steps that are shown */
  pan(share) {
    this.choose(moved(this.range, Math.round(share * (this.range.to - this.range.from)), this.shown?.answer.steps), true);
  }

  draw() {
    if (this.shown === null || this.card.hidden) return;
    const em = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.875;
    const size = { width: this.canvas.clientWidth, em };
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.round(size.width * ratio), height: Math.round(HEIGHT * em * ratio) });
    this.canvas.style.height = `${HEIGHT * em}px`;
    const ctx = this.canvas.getContext("2d");
    if (!ctx) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintOverview(ctx, this.shown.answer, size, this.range);
    this.say(this.shown.answer);
  }

  /**
   * @private
   * @param {any} answer
   */
  say({ words, steps }) {
    const { from, to } = this.range;
    setText(byId("overview-sentence"), `${words.overview} ${words.norms} ${words.costs}`);
    setText(byId("overview-range"), `steps ${from} to ${to - 1} of ${steps}`);
    for (const [name, value] of Object.entries({ "aria-valuemax": steps - 1, "aria-valuenow": from, "aria-valuetext": `steps ${from} to ${to - 1}` })) {
      this.surface.setAttribute(name, String(value));
    }
  }

  /**
   * @private
   * @param {Range} range
   * @param {boolean} resting
   */
  choose(range, resting) {
    if (this.shown === null) return;
    this.range = range;
    this.draw();
    this.pick(range, resting);
  }

  /** @private */
  listen() {
    const { surface } = this;
    /** @type {{begun: number, inside: boolean, range: Range} | null} */
    let drag = null;
    const steps = () => this.shown?.answer.steps ?? 1;
    const at = (/** @type {MouseEvent} */ event) => stepAt(event.clientX - surface.getBoundingClientRect().left, steps(),
      spanOf({ width: this.canvas.clientWidth, em: parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.875 }));
    surface.addEventListener("pointerdown", (event) => {
      const begun = at(event);
      const slack = steps() / 100;
      drag = { begun, inside: begun >= this.range.from - slack && begun < this.range.to + slack, range: this.range };
      surface.setPointerCapture(event.pointerId);
    });
    surface.addEventListener("pointermove", (event) => {
      if (!drag) return;
      this.choose(drag.inside ? moved(drag.range, at(event) - drag.begun, steps()) : dragged(drag.begun, at(event), steps()), false);
    });
    surface.addEventListener("pointerup", (event) => {
      const count = this.range.to - this.range.from;
      const still = drag && Math.abs(at(event) - drag.begun) < steps() / 500;
      if (drag && still && !drag.inside) this.choose(moved({ from: 0, to: count }, drag.begun - Math.round(count / 2), steps()), true);
      else if (drag) this.choose(this.range, true);
      drag = null;
    });
    surface.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      this.choose(event.shiftKey ? moved(this.range, Math.sign(event.deltaY || event.deltaX) * Math.max(1, Math.round((this.range.to - this.range.from) / 4)), steps())
        : stretched(this.range, event.deltaY > 0 ? 1.25 : 0.8, steps()), true);
    }, { passive: false });
    surface.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const range = byKey(this.range, event.key, event.shiftKey, steps());
      if (range === null) return;
      event.preventDefault();
      this.choose(range, true);
    });
  }
}

/** @param {Config} config */
export function isLong({ steps }) {
  return typeof steps === "number" && steps > LONG;
}

/**
 * Returns a close-up as the pictures take an analysis, with the headline of the whole sequence.
 * @param {any} answer of `/api/v1/closeup`
 * @param {any} overview
 */
function closeUp({ analysis, first, steps, figures }, overview) {
  return { ...analysis, first, whole: steps, figures, words: { ...analysis.words, headline: overview.words.headline } };
}
