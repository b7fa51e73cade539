/** The marked step: one step, marked in every picture at once. */

import { Chart } from "../figures/chart.js";
import { READOUTS } from "../lib/readouts.js";
import { firstOf, lastOf } from "../lib/steps.js";
import { listenStepKeys } from "./step-keys.js";
import { pickedLoss } from "./strip-source.js";

/** @typedef {import("../figures/card.js").Card} Card */

export class Pointer {
  /**
   * @param {{shown: () => {analysis: any, s: number | null}, cards: () => Card[], moved: (step: number, analysis: any) => void}} page
   *   shown: the analysis (or null) and the loss that was picked; moved: told of each step that is marked
   */
  constructor(page) {
    this.page = page;
    /** @type {number | null} counted from the first step of the whole sequence */
    this.step = null;
  }

  /** @param {number} t */
  to(t) {
    const { analysis } = this.page.shown();
    if (!analysis) return;
    this.step = Math.max(firstOf(analysis), Math.min(t, lastOf(analysis)));
    this.page.moved(this.step, analysis);
    for (const card of this.page.cards()) this.mark(card);
  }

  /** Marks the step again, where something was drawn anew. */
  again() {
    if (this.step !== null) this.to(this.step);
  }

  /**
   * The arrow keys move the marked step, in whatever picture they are pressed.
   * @param {HTMLElement} surface
   * @param {(t: number) => void} [follow] told of each step that they mark, counted from the first that is shown
   */
  keys(surface, follow = () => {}) {
    const analysis = () => this.page.shown().analysis;
    listenStepKeys(surface, () => analysis() && { step: this.step ?? 0, last: lastOf(analysis()) }, (t) => {
      follow(t - firstOf(analysis()));
      this.to(t);
    });
  }

  /**
   * Marks the step in one picture.
   * @param {Card} card
   */
  mark(card) {
    const { analysis, s: picked } = this.page.shown();
    if (!analysis || this.step === null) return;
    const { s, row } = pickedLoss(analysis, picked);
    if (card instanceof Chart) card.mark(this.step, card.name === "credit" && row >= 0 ? s + firstOf(analysis) : null);
    card.read(READOUTS[card.name](analysis, this.step - firstOf(analysis), row), this.step, lastOf(analysis));
  }
}
