/** A run as its events tell it: pure. Points and moments come in the order of their ids, and none twice. */

import { percent } from "../lib/format.js";
import { tokenWord } from "./lab.js";

/**
 * @typedef {{tokens: number, update: number, loss: number | null, accuracy: number | null, norm: number | null, clipped: number | null,
 *   rate: number, seconds: number}} Point
 * @typedef {{tokens: number, update: number, loss_carry: number | null, loss_reset: number | null, accuracy_carry: number | null,
 *   accuracy_reset: number | null, sample: string, half_life: number | null, weights?: boolean}} Moment
 * @typedef {{name: string, strategy: number, seed: number, point: Point | null, moments: Moment[], ended: string, reason: string}} Lane
 * @typedef {{id: number, event: string, data: any}} RunEvent
 */

export const OVER = ["done", "failed", "cancelled"];
export const RESTING = [...OVER, "interrupted"];

export class Run {
  /** @param {any} summary the answer of `/api/v1/training/{id}` */
  constructor(summary) {
    this.id = String(summary.id);
    this.lab = summary.lab;
    this.title = String(summary.title ?? "");
    this.status = "";
    this.note = "";
    /** @type {any} */
    this.verdict = null;
    /** @type {number | null} seconds, as the server estimates them */
    this.remaining = null;
    this.after = 0; // the last event's id
    this.own = true; // whether this browser started it
    this.until = 0; // the last event's id when the run was last described
    this.trained = false; // whether it had been trained at all when it was last described
    /** @type {number[]} learning rates that were set while it ran */
    this.rates = [];
    /** @type {Map<string, Lane>} */
    this.lanes = new Map();
    /** @type {Map<number, number>} peak bytes by strategy */
    this.peaks = new Map();
    for (const seed of seedsOf(this.lab)) this.lab.strategies.forEach((/** @type {unknown} */ _, /** @type {number} */ index) => this.addLane(index, seed));
    this.describe(summary);
  }

  /**
   * Takes what the server says of the run as a whole.
   * @param {any} summary
   */
  describe(summary) {
    this.status = String(summary.status);
    this.note = String(summary.note ?? "");
    this.remaining = summary.remaining_seconds ?? null;
    this.until = Math.max(this.until, Number(summary.last_event ?? 0));
    this.trained = Number(summary.tokens ?? 0) > 0;
    this.own = summary.own !== false;
    this.rates = (summary.rates ?? []).map((/** @type {{rate: number}} */ one) => one.rate);
    if (summary.verdict) this.verdict = summary.verdict;
    for (const [index, one] of (summary.strategies ?? []).entries()) if (one.peak_bytes) this.peaks.set(index, one.peak_bytes);
  }

  /** Whether all events are here that there were when the run was last described. */
  get caughtUp() {
    return this.after >= this.until;
  }

  get over() {
    return OVER.includes(this.status);
  }

  get resting() {
    return RESTING.includes(this.status);
  }

  /** Whether there is anything to draw. */
  get begun() {
    return this.trained || this.resting || [...this.lanes.values()].some((lane) => lane.point !== null || lane.moments.length > 0);
  }

  /** The share of all tokens that have been trained on. */
  get share() {
    const lanes = [...this.lanes.values()];
    const done = lanes.reduce((sum, lane) => sum + (lane.ended ? this.lab.tokens : lane.point?.tokens ?? 0), 0);
    return lanes.length ? done / (lanes.length * this.lab.tokens) : 0;
  }

  /**
   * Takes an event; returns false for one that is known already.
   * @param {RunEvent} event
   */
  take({ id, event, data }) {
    if (id > 0 && id <= this.after) return false; // what cannot be stored has no id
    this.after = Math.max(this.after, id);
    const lane = data.lane === undefined ? null : this.lanes.get(data.lane) ?? null;
    if (event === "point" && lane) lane.point = data;
    else if (event === "moment" && lane) lane.moments.push(data);
    else if (event === "lane" && lane) Object.assign(lane, { ended: data.status, reason: data.reason ?? "" });
    else if (event === "strategy") this.peaks.set(data.strategy, Math.max(this.peaks.get(data.strategy) ?? 0, data.peak_bytes ?? 0));
    else if (event === "verdict") this.verdict = data.verdict ?? data;
    else if (event === "rate") this.rates = [...this.rates, data.rate];
    else if (event === "state" || event === "problem") Object.assign(this, { status: data.status, note: data.note ?? "" });
    else if (event === "worker") this.note = data.note ?? data.text ?? data.reason ?? "";
    return true;
  }

  /**
   * @private
   * @param {number} strategy
   * @param {number} seed
   */
  addLane(strategy, seed) {
    const name = `${strategy}.${seed}`;
    this.lanes.set(name, { name, strategy, seed, point: null, moments: [], ended: "", reason: "" });
  }
}

/** @param {any} lab */
export function seedsOf(lab) {
  return Array.from({ length: lab.seeds }, (_, i) => lab.seed + i);
}

/**
 * Returns the tokens of a seed's moments, ascending. Strategies with other windows are looked at a few tokens earlier
 * or later: a moment has the tokens of the strategy that needed most.
 * @param {Run} run
 * @param {number} seed
 */
export function momentsOf(run, seed) {
  const lanes = [...run.lanes.values()].filter((lane) => lane.seed === seed);
  const count = Math.max(0, ...lanes.map((lane) => lane.moments.length));
  return Array.from({ length: count }, (_, i) => Math.max(...lanes.map((lane) => lane.moments[i]?.tokens ?? 0)));
}

/**
 * Returns a lane's moment of that place, or its last one before; null if there is none.
 * @param {Lane} lane
 * @param {number} index
 * @returns {Moment | null}
 */
export function momentAt(lane, index) {
  return lane.moments[index] ?? lane.moments.at(-1) ?? null;
}

/**
 * Returns a loss in a measure, as number and unit.
 * @param {number | null} loss
 * @param {any} lab
 * @param {string} measure nats, bits or perplexity; values have half their squared error
 */
export function measured(loss, lab, measure) {
  const value = loss ?? NaN;
  if (lab.task === "adding" || lab.task === "series") return { value, unit: "half the squared error" };
  if (measure === "perplexity") return { value: Math.exp(value), unit: "perplexity" };
  return { value: measure === "bits" ? value / Math.LN2 : value, unit: `${measure} per ${tokenWord(lab).slice(0, -1)}` };
}

/**
 * Returns a share as a percentage; nothing at all is 0, and not 0.0.
 * @param {number} value
 */
export function share(value) {
  return percent(value).replace(/^0\.0\u00a0/, "0\u00a0");
}

/**
 * Returns seconds in words, and never more exact than they can be known.
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
