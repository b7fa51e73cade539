/** Play, step and scrub the backward pass of the picked loss. */

import { byId, setText } from "../lib/dom.js";

const PACE = { ms: 90, frames: 120 };
const CALM = { ms: 700, frames: 6 }; // for who has asked for less motion

/**
 * @typedef {{pick: (s: number, resting: boolean) => void, reach: (at: number, resting: boolean) => void}} TransportEvents
 */

export class Transport {
  /** @param {TransportEvents} events */
  constructor(events) {
    this.events = events;
    this.loss = /** @type {HTMLInputElement} */ (byId("loss"));
    this.frontier = /** @type {HTMLInputElement} */ (byId("frontier"));
    this.play = byId("play");
    /** @type {number[]} loss steps that can be picked */
    this.losses = [];
    this.s = 0;
    this.at = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.listen();
  }

  /**
   * @param {number[]} losses
   * @param {number} s the picked one
   * @param {number} at the step to which its backward pass is shown
   * @param {number} [first] the number of the first step in the whole sequence
   */
  show(losses, s, at, first = 0) {
    Object.assign(this, { losses, s, at });
    set(this.loss, 0, losses.length - 1, losses.indexOf(s));
    this.loss.setAttribute("aria-valuetext", `loss at step ${s + first}`);
    set(this.frontier, 0, s, at);
    this.frontier.setAttribute("aria-valuetext", `back to step ${at + first}`);
    setText(byId("loss-value"), String(s + first));
    setText(byId("frontier-value"), String(at + first));
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
    setText(this.play, "Play");
    this.play.setAttribute("aria-pressed", "false");
  }

  /** @private */
  start() {
    if (this.at === 0) this.events.reach(this.s, false);
    setText(this.play, "Pause");
    this.play.setAttribute("aria-pressed", "true");
    const { ms, frames } = matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM : PACE;
    const stride = Math.max(1, Math.ceil(this.s / frames));
    this.timer = setInterval(() => {
      const next = Math.max(0, this.at - stride);
      this.events.reach(next, next === 0);
      if (next === 0) this.stop();
    }, ms);
  }

  /**
   * @private
   * @param {number} at
   */
  go(at) {
    this.stop();
    this.events.reach(Math.min(this.s, Math.max(0, at)), true);
  }

  /** @private */
  listen() {
    const pick = (/** @type {boolean} */ resting) => {
      this.stop();
      this.events.pick(this.losses[Number(this.loss.value)], resting);
    };
    this.loss.addEventListener("input", () => pick(false));
    this.loss.addEventListener("change", () => pick(true));
    this.frontier.addEventListener("input", () => { this.stop(); this.events.reach(Number(this.frontier.value), false); });
    this.frontier.addEventListener("change", () => this.go(Number(this.frontier.value)));
    this.play.addEventListener("click", () => (this.timer === undefined ? this.start() : this.stop()));
    byId("back-start").addEventListener("click", () => this.go(this.s));
    byId("back-one").addEventListener("click", () => this.go(this.at + 1));
    byId("forward-one").addEventListener("click", () => this.go(this.at - 1));
    byId("forward-end").addEventListener("click", () => this.go(0));
  }
}

/**
 * @param {HTMLInputElement} input
 * @param {number} min
 * @param {number} max
 * @param {number} value
 */
function set(input, min, max, value) {
  if (input.max !== String(max)) Object.assign(input, { min: String(min), max: String(max) });
  if (input.value !== String(value)) input.value = String(value);
}
