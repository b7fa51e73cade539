/** What the strip shows of an analysis: pure functions. */

import { sightOf } from "../figures/strip-view.js";
import { number } from "../lib/format.js";
import { edgeWeight, keptCredit } from "../lib/weights.js";

/**
 * Returns the picked loss, counted from the first step that is shown, and its row (-1 for none) of the credit matrix: of those that have a row, the nearest to the one asked for.
 * @param {any} analysis
 * @param {number | null} asked
 */
export function pickedLoss({ credit, first = 0 }, asked) {
  const losses = /** @type {ArrayLike<number>} */ (credit.loss_steps);
  if (losses.length === 0) return { s: 0, row: -1 };
  const row = nearest(losses, asked === null ? losses[losses.length - 1] : asked - first);
  return { s: losses[row], row };
}

/**
 * Returns the loss steps that can be picked: where the credit matrix comes later, those that will have a row in it.
 * @param {any} analysis
 * @returns {ArrayLike<number>}
 */
export function lossesOf({ row, credit }) {
  return (row ?? credit).loss_steps;
}

/**
 * Returns the loss that can be picked nearest to the one asked for, counted from the first step that is shown.
 * @param {any} analysis
 * @param {number | null} asked
 */
export function nearestLoss(analysis, asked) {
  return pickedLoss({ ...analysis, credit: { loss_steps: lossesOf(analysis) } }, asked).s;
}

/**
 * Returns whether the row of the credit matrix is there of the loss that is asked for.
 * @param {any} analysis
 * @param {number | null} asked
 */
export function hasRow(analysis, asked) {
  return pickedLoss(analysis, asked).s === nearestLoss(analysis, asked);
}

/**
 * @param {ArrayLike<number>} losses ascending
 * @param {number} s
 */
function nearest(losses, s) {
  let best = 0;
  for (let i = 1; i < losses.length; i++) if (Math.abs(losses[i] - s) < Math.abs(losses[best] - s)) best = i;
  return best;
}

/**
 * Returns the strip's view of a picked loss.
 * @param {number} steps
 * @param {number} s
 * @param {import("../state.js").View} chosen
 * @param {number} fits how many steps have room with a block each
 * @returns {import("../figures/strip-types.js").StripView}
 */
export function stripView(steps, s, chosen, fits) {
  const at = chosen.at === null ? null : Math.min(s, chosen.at);
  if (chosen.from === null && chosen.to === null) return { s, at: at ?? 0, ...sightOf({ s, at }, steps, fits) };
  const least = Math.min(5, steps);
  const from = Math.min(chosen.from ?? 0, steps - least);
  return { s, at: at ?? 0, from, to: Math.min(steps, Math.max(chosen.to ?? steps, from + least)) };
}

/**
 * @param {any} analysis
 * @param {number} s
 * @param {number} row
 * @returns {import("../figures/strip-types.js").StripData}
 */
export function stripData(analysis, s, row) {
  const { config, sequence, plan, loss, credit } = analysis;
  const losses = new Set(/** @type {number[]} */ ([]));
  for (let t = 0; t < loss.per_step.length; t++) if (!Number.isNaN(loss.per_step[t])) losses.add(t);
  const weight = edgeWeight(analysis);
  return { steps: plan.cut.length, first: analysis.first ?? 0, inputs: sequence.inputs, targets: sequence.targets, losses, cut: plan.cut, reset: plan.reset, reach: plan.reach,
    starts: windowless(config) ? [0] : plan.window_starts, noun: config.style === "k1k2" ? "pass" : "window",
    note: weight === 1 ? "" : `\u00d7${number(weight)} at each edge`, row: credit.h[row] ?? null,
    kept: weight === 1 || row < 0 ? credit.h[row] ?? null : credit.h[row].map((/** @type {number} */ value, /** @type {number} */ t) => keptCredit(analysis, s, t, value)) };
}

/**
 * Where every loss goes back as far as every other and the state is carried, no step is a window's first.
 * @param {{style: string, value: string}} config
 */
function windowless({ style, value }) {
  return style === "sliding" && value === "carry";
}

/**
 * Returns how far the picked loss reaches, and what full BPTT would bring across the cut.
 * @param {any} analysis
 * @param {number} s
 * @param {number} row
 */
export function stripSentence(analysis, s, row) {
  const { words, plan, credit, first = 0 } = analysis;
  if (credit.h.length === 0) return "No loss is read at these steps.";
  const reach = plan.reach[s];
  const told = (reach + first > 0 ? words.reach : words.reach_all).replaceAll("{s}", String(s + first)).replaceAll("{r}", String(reach + first)) + weighted(analysis, s, reach);
  if (reach < 0) return `${told} That is before the steps that are drawn here.`;
  if (reach === 0) return told;
  const beyond = credit.h[row][reach - 1];
  if (plan.reset[reach]) return `${told} The value's own path is broken there: nothing earlier has any effect on this loss.`;
  if (beyond === 0) return `${told} Full BPTT would bring nothing across the cut either.`;
  return `${told} Full BPTT would go on: ${number(beyond)} arrives at step ${reach - 1 + first}, ${number(credit.h[row][0])} at step ${first}.`;
}

/**
 * @param {any} analysis
 * @param {number} s
 * @param {number} reach
 */
function weighted(analysis, s, reach) {
  const weight = edgeWeight(analysis);
  if (weight === 1 || reach === s) return "";
  return ` Each edge that is left counts ${number(weight)} times, so at step ${reach + (analysis.first ?? 0)} the gradient counts ${number(weight ** (s - reach))} times.`;
}

/**
 * Returns which steps are in sight, in words.
 * @param {{from: number, to: number}} view
 * @param {number} steps
 */
export function sightWords({ from, to }, steps) {
  return to - from >= steps ? `all ${steps} steps` : `steps ${from} to ${to - 1} of ${steps}`;
}
