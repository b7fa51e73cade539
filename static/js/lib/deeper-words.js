/** The sentence of each deeper picture: the engine's own, or made of its numbers. */

import { tenTo } from "./deeper-tables.js";
import { number, percent } from "./format.js";

/**
 * @typedef {any} Analysis the panel's answer
 * @typedef {{title: string, error: number} | null} InForce the truncation that the page shows, and its relative error
 */

/** @type {Record<string, (analysis: Analysis, inForce: InForce) => string>} */
export const DEEPER_SENTENCES = {
  bias_curve({ bias_curve: { sentence, sliding, adaptive } }, inForce) {
    const now = inForce && Number.isFinite(inForce.error) ? ` In force, ${inForce.title}, is off by ${percent(inForce.error)}.` : "";
    const choice = adaptive.chosen > 0
      ? ` Adaptive truncation would go back ${adaptive.chosen}, to be within ${percent(adaptive.tolerance)}; the true error there is ${percent(sliding[adaptive.chosen - 1])}.`
      : Number.isNaN(adaptive.beta) ? " Adaptive truncation has too few lags to judge by." : " Adaptive truncation finds no length that its bound vouches for.";
    return sentence + now + choice;
  },
  lags({ bias_curve: b }) {
    const lag = lagOf(b, 0.9);
    const reach = lag < 0 ? "No lag completes 90 % of the gradient" : `Lags up to ${lag} make up 90 % of the gradient`;
    const half = b.half_life >= 0 ? `${b.half_life} ${b.half_life === 1 ? "step" : "steps"} back a loss\u2019 gradient has halved` : "A loss\u2019 gradient never halves on its way back";
    return `${half}. ${reach}; the readout\u2019s own weights, which no truncation touches, are ${percent(b.readout_share)} of it.`;
  },
  paths: ({ paths }) => paths.sentence,
  rule_1997({ paths }) {
    if (!paths.rule) return "The rule of 1997, the product of the forget gates, speaks of an LSTM of one layer. Here is the true gradient of the last loss alone.";
    const ratio = Number.isFinite(paths.factor) ? `At step 0 the truth is ${number(paths.factor)} times the rule` : "At step 0 the rule brings nothing to compare";
    return `${ratio}: it follows the cell highway alone, and leaves out all that comes back through the gates.`;
  },
  gates({ gates }) {
    const parts = Object.keys(gates.mean).map((name) =>
      `the ${name} gate stands at ${number(mean(gates.mean[name]))}, with ${percent(mean(gates.open[name]) + mean(gates.closed[name]))} of its units saturated`);
    return `On average over the steps, ${parts.join("; ")}.`;
  },
  memory: ({ gates }) => gates.sentence,
  spectrum: ({ spectrum }) => spectrum.sentence,
  products({ spectrum: s }) {
    if (s.verdict === "undefined") return s.sentence;
    const last = s.lags.length - 1;
    const gap = s.log10_bound[last] - s.log10_product[last];
    const loose = Number.isFinite(gap) ? `, ${tenTo(gap)} times too much` : "";
    return `Over ${s.lags[last]} ${s.lags[last] === 1 ? "step" : "steps"} the product\u2019s largest singular value is ${tenTo(s.log10_product[last])}. ` +
      `The bound of Pascanu et al. (2013) only says \u201cat most ${tenTo(s.log10_bound[last])}\u201d${loose}: a small bound proves that gradients vanish, a large one proves nothing.`;
  },
  lyapunov({ spectrum: s, config }) {
    if (s.verdict === "undefined") return s.sentence;
    const growing = Array.from(s.lyapunov).filter((value) => value > 0).length;
    const [name, radius] = Object.entries(s.spectral_radius).reduce((best, one) => (one[1] > best[1] ? one : best), ["none", -1]);
    return `${growing} of ${s.lyapunov.length} directions grow. The exponents sum to ${number(s.log_det)}, the mean of log|det J|. ` +
      `The largest spectral radius of a recurrent matrix is ${number(radius)} (${matrix(name, config.cell)}), which alone decides nothing.`;
  },
  draws({ draws }) {
    return `The mean over all draws of the gradient is the full one, but every draw has its own cuts and weights: ` +
      `at step 0 its norm is ${number(draws.h_mean[0])} \u00b1 ${number(draws.h_spread[0])}. A mean of norms never lies below the norm of the mean.`;
  },
  draw_errors: ({ draws }) => draws.sentence,
};

/**
 * Returns the smallest lag up to which the signed shares, the readout's included, add up to `part`; -1 if none does.
 * @param {{share_by_lag: ArrayLike<number>, readout_share: number}} bias
 * @param {number} part
 */
export function lagOf({ share_by_lag: shares, readout_share: readout }, part) {
  let sum = readout;
  for (let lag = 0; lag < shares.length; lag++) {
    sum += shares[lag];
    if (sum >= part) return lag;
  }
  return -1;
}

/** @type {Record<string, string[]>} */
const GATES = { lstm: ["input gate", "forget gate", "candidate", "output gate"], gru: ["reset gate", "update gate", "candidate"] };

/**
 * Returns the name of one gate's recurrent matrix in words: "l0.W_hh[1]" is the forget gate's of layer 0.
 * @param {string} name
 * @param {string} cell
 */
function matrix(name, cell) {
  const [, layer, gate] = /^l(\d+)\.W_hh\[(\d+)\]$/.exec(name) ?? [];
  return `layer ${layer}, ${GATES[cell]?.[Number(gate)] ?? "W_hh"}`;
}

/** @param {ArrayLike<number>} values */
function mean(values) {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
