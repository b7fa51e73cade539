/** The run's bar: how it stands in words, and what may be done with it. */

import { byId, setText } from "../lib/dom.js";
import { tokenWord } from "./lab.js";
import { duration, share } from "./run.js";

/**
 * @typedef {{start: () => void, control: (action: "pause" | "resume" | "step" | "stop") => void, rate: (rate: number) => void}} Acts
 */

export class Bar {
  /** @param {Acts} acts */
  constructor(acts) {
    this.start = /** @type {HTMLButtonElement} */ (byId("start"));
    this.pause = byId("pause");
    this.rate = /** @type {HTMLInputElement} */ (byId("rate-now"));
    this.paused = false;
    this.start.addEventListener("click", acts.start);
    this.pause.addEventListener("click", () => acts.control(this.paused ? "resume" : "pause"));
    byId("step").addEventListener("click", () => acts.control("step"));
    byId("stop").addEventListener("click", () => acts.control("stop"));
    byId("rate-set").addEventListener("click", () => this.changeRate(acts.rate));
    this.rate.addEventListener("keydown", (event) => event.key === "Enter" && this.changeRate(acts.rate));
  }

  /**
   * @private
   * @param {(rate: number) => void} change
   */
  changeRate(change) {
    const rate = Number(this.rate.value);
    if (this.rate.value.trim() === "" || !Number.isFinite(rate) || rate < 0) this.complain("A learning rate is a number that is not negative, for example 0.002.");
    else change(rate);
  }

  /** @param {string} text */
  complain(text) {
    setText(byId("rate-problem"), text);
    byId("rate-problem").hidden = text === "";
    this.rate.toggleAttribute("aria-invalid", text !== "");
    if (text) this.rate.setAttribute("aria-invalid", "true");
  }

  /** @param {boolean} starting */
  starting(starting) {
    this.start.disabled = starting;
    setText(this.start, starting ? "Starting\u2026" : byId("seen").hidden ? "Start" : "Start a new run");
  }

  /** @param {import("./run.js").Run | null} run */
  show(run) {
    const status = run?.status ?? "";
    const mine = run?.own ?? false;
    const going = mine && ["queued", "running"].includes(status);
    this.paused = mine && ["paused", "interrupted"].includes(status);
    setText(this.start, run ? "Start a new run" : "Start");
    this.start.classList.toggle("primary", !going && !this.paused);
    this.pause.hidden = !going && !this.paused;
    setText(this.pause, this.paused ? "Resume" : "Pause");
    this.pause.classList.toggle("primary", this.paused);
    byId("step").hidden = !mine || status !== "paused";
    byId("stop").hidden = !going && !this.paused;
    byId("rate-row").hidden = byId("stop").hidden;
    byId("results").hidden = !run;
    this.showRate(run);
    const bar = /** @type {HTMLProgressElement} */ (byId("done"));
    bar.value = run ? (run.status === "done" ? 1 : run.share) : 0;
    bar.hidden = !run;
    if (!run) setText(byId("status"), "Not started.");
    else setText(byId("status"), statusWords(run));
  }

  /**
   * @private
   * @param {import("./run.js").Run | null} run
   */
  showRate(run) {
    if (!run || document.activeElement === this.rate) return;
    const lanes = [...run.lanes.values()].filter((lane) => lane.point && !lane.ended);
    const rate = run.rates.at(-1) ?? lanes.at(-1)?.point?.rate ?? run.lab.rate;
    if (Number(this.rate.value) !== rate) this.rate.value = String(rate);
  }
}

/**
 * Returns how a run stands, in words.
 * @param {import("./run.js").Run} run
 */
export function statusWords(run) {
  const { lab, status, note } = run;
  const total = lab.tokens * lab.strategies.length * lab.seeds;
  const done = `${share(run.share)} of ${total.toLocaleString("en")} ${tokenWord(lab)}`;
  const left = duration(run.remaining);
  const said = note ? ` ${note}` : "";
  switch (status) {
    case "queued": return `Waiting for its turn; ${done} trained.${said}`;
    case "running": return `Training: ${done}${left ? `, about ${left} left` : ""}.${said}`;
    case "paused": return `Paused at ${done}.${said}`;
    case "done": return `Done: ${total.toLocaleString("en")} ${tokenWord(lab)} in all.${said}`;
    case "cancelled": return `Stopped at ${done}. What was measured is kept.${said}`;
    case "interrupted": return `Interrupted at ${done}.${said || " It can be resumed from its last checkpoint."}`;
    default: return `Failed at ${done}.${said || " What was measured is kept."}`;
  }
}
