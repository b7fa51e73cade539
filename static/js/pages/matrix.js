/**
 * The credit matrix of what is shown. It is asked for by itself: it may take longer than all the rest, and while only the
 * cuts move it stays the same. Until it has come, an analysis makes do with the row that it brought.
 */

import * as api from "../api.js";
import { configQuery, creditConfig } from "../state.js";
import { isLong } from "./long.js";

/** @typedef {import("../state.js").Config} Config */

const SLOW_MS = 150; // a matrix that took longer is not waited for, and asked for when the slider rests
const REST_MS = 160;
const SOON_MS = 12; // less than a frame: so long the other pictures wait for one that is on its way

export class Matrix {
  /**
   * @param {import("../state.js").Option[]} options
   * @param {{name: string, given: import("../api.js").Given}} trained
   * @param {() => void} came told of each matrix that has come, or is too large to come
   * @param {typeof api.credit} [fetched]
   */
  constructor(options, trained, came, fetched = api.credit) {
    this.options = options;
    this.trained = trained;
    this.came = came;
    this.fetched = fetched;
    /** @type {{key: string, answer: any} | null} the one that came last */
    this.last = null;
    /** @type {{key: string, words: string} | null} the one that is too large, and why */
    this.problem = null;
    /** @type {{key: string, abort: AbortController, coming: Promise<void>} | null} */
    this.current = null;
    this.times = [0, 0]; // ms of the last two: the first of a page meets Plotly being loaded
  }

  /** True if none is on its way. */
  get idle() {
    return this.current === null;
  }

  /** @private ms */
  get took() {
    return Math.min(...this.times);
  }

  /**
   * @private
   * @param {number} ms
   */
  note(ms) {
    this.times = [this.times[1], ms];
  }

  /** How many ms the other pictures wait for it before they go on. */
  get patience() {
    return this.took < SLOW_MS ? SLOW_MS : 0;
  }

  /**
   * Gives up any matrix that is on its way but this config's.
   * @param {Config} config
   */
  giveUp(config) {
    if (this.current === null || this.current.key === this.wanted(config)) return;
    this.current.abort.abort();
    this.current = null;
  }

  /**
   * Asks for the matrix of a config, if it is not there, and gives up any other. Rejects where it cannot be had just now.
   * @param {Config} config
   * @returns {Promise<void>}
   */
  async ask(config) {
    this.giveUp(config);
    if (this.current) return this.current.coming;
    const key = this.wanted(config);
    if (key === "" || this.has(key)) return;
    const abort = new AbortController();
    this.current = { key, abort, coming: this.fetch(key, creditConfig(config), abort.signal) };
    return this.current.coming;
  }

  /**
   * @private
   * @param {string} key
   * @param {Config} config
   * @param {AbortSignal} signal
   */
  async fetch(key, config, signal) {
    if (this.took >= SLOW_MS) await new Promise((resolve) => setTimeout(resolve, REST_MS));
    if (signal.aborted) return;
    const begun = performance.now();
    const took = () => performance.now() - begun;
    try {
      const answer = await this.fetched(config, this.options, signal, this.trained.given);
      this.last = { key, answer };
      this.note(took());
    } catch (error) {
      this.note(Math.max(this.took, took()));
      if (signal.aborted) return;
      if (!(error instanceof api.Refused) || error.status !== 422) throw error;
      this.problem = { key, words: `There is no credit matrix of this. ${error.message}` };
    } finally {
      if (!signal.aborted) this.current = null;
    }
    this.came();
  }

  /**
   * Waits for one that is on its way, not long and only where the last ones were quick: both answers are then
   * drawn in one frame, and the server has the processor until then.
   */
  async soon() {
    if (this.current && this.patience) await awhile(this.current.coming, SOON_MS, () => {}).catch(() => {});
  }

  /**
   * Returns whether nothing more is to come for a config: its matrix is there, or too large.
   * @param {Config} config
   */
  knows(config) {
    return this.has(this.keyOf(config));
  }

  /**
   * @private
   * @param {string} key
   */
  has(key) {
    return this.last?.key === key || this.problem?.key === key;
  }

  /**
   * Completes an analysis with its matrix, and returns whether nothing more is to come.
   * @param {any} analysis
   * @param {Config} config
   */
  complete(analysis, config) {
    const { row, figures, words } = analysis;
    if (!row) return true;
    const key = this.keyOf(config);
    const answer = this.last?.key === key ? this.last.answer : null;
    const problem = this.problem?.key === key ? this.problem.words : "";
    analysis.credit = answer?.credit ?? { loss_steps: [row.loss_step], h: [row.h], c: row.c && [row.c], complete: false };
    analysis.awaited = !answer;
    words.credit = answer?.sentence ?? (problem || "The credit matrix is still being computed.");
    const frame = figures.credit.data.filter((/** @type {any} */ trace) => trace.type !== "heatmap");
    if (answer) figures.credit = { data: [answer.heatmap, ...frame], layout: figures.credit.layout };
    return this.has(key);
  }

  /**
   * Returns the key of the matrix that a config needs; "" for a close-up of a long sequence, which brings its own.
   * @private
   * @param {Config} config
   */
  wanted(config) {
    return isLong(config) ? "" : this.keyOf(config);
  }

  /**
   * @private
   * @param {Config} config
   */
  keyOf(config) {
    return `${this.trained.name} ${configQuery(creditConfig(config), this.options)}`;
  }
}

/**
 * Waits for something, but not long: should it fail later, `failed` is told.
 * @param {Promise<void>} coming
 * @param {number} ms
 * @param {(error: unknown) => void} failed
 * @returns {Promise<void>}
 */
export function awhile(coming, ms, failed) {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      resolve();
    }, ms);
    coming.then(resolve, (error) => (late ? failed(error) : reject(error))).finally(() => clearTimeout(timer));
  });
}
