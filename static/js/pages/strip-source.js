/** What the strip shows of an analysis: pure functions. */

import { number } from "../lib/format.js";

/**
 * Returns the picked loss, its row of the credit matrix, and the strip's view of it.
 * @param {any} analysis
 * @param {import("../state.js").View} chosen
 */
export function stripView(analysis, chosen) {
  const steps = analysis.plan.cut.length;
  const losses = /** @type {ArrayLike<number>} */ (analysis.credit.loss_steps);
  const row = nearest(losses, chosen.s ?? losses[losses.length - 1]);
  const s = losses[row];
  const from = Math.min(chosen.from ?? 0, Math.max(0, steps - 5));
  const to = Math.min(steps, Math.max(chosen.to ?? steps, from + Math.min(5, steps)));
  return { s, row, view: { s, at: Math.min(s, chosen.at ?? 0), from, to } };
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
 * @param {any} analysis
 * @param {number} row
 * @returns {import("../figures/strip-layout.js").StripData}
 */
export function stripData({ sequence, plan, loss, credit }, row) {
  const losses = new Set(/** @type {number[]} */ ([]));
  for (let t = 0; t < loss.per_step.length; t++) if (!Number.isNaN(loss.per_step[t])) losses.add(t);
  return { steps: plan.cut.length, inputs: sequence.inputs, targets: sequence.targets, losses, starts: plan.window_starts,
    cut: plan.cut, reset: plan.reset, reach: plan.reach, row: credit.h[row] };
}

/**
 * Returns how far the picked loss reaches, and what full BPTT would bring across the cut.
 * @param {any} analysis
 * @param {number} s
 * @param {number} row
 */
export function stripSentence({ words, plan, credit }, s, row) {
  const reach = plan.reach[s];
  const told = (reach > 0 ? words.reach : words.reach_all).replaceAll("{s}", String(s)).replaceAll("{r}", String(reach));
  if (reach === 0) return told;
  const beyond = credit.h[row][reach - 1];
  if (beyond === 0) return `${told} The value's own path is broken there: nothing earlier has any effect on this loss.`;
  return `${told} Full BPTT would go on: ${number(beyond)} arrives at step ${reach - 1}, ${number(credit.h[row][0])} at step 0.`;
}
