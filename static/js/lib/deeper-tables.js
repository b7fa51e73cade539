/** The table behind each deeper picture, and what one place in it says: pure functions of the analysis. */

import { number, percent } from "./format.js";

/**
 * @typedef {import("./tables.js").Table} Table
 * @typedef {any} Analysis
 */

const HOLDS = "For these weights and these data.";

/** The share that lies in a table's cell where there is none. @param {number | undefined} value */
const orNone = (value) => value ?? "";

/** @type {Record<string, (analysis: Analysis) => Table>} */
export const DEEPER_TABLES = {
  bias_curve({ bias_curve: b }) {
    const names = Object.keys(b.sliding_blocks);
    const windows = new Map(Array.from(b.window_k, (k, i) => [k, b.window[i]]));
    const rows = Array.from(b.sliding, (error, i) =>
      [i + 1, error, orNone(windows.get(i + 1)), b.adaptive.bound[i], ...names.map((name) => b.sliding_blocks[name][i])]);
    return { columns: ["k", "sliding(k)", "window(k)", "adaptive's bound", ...names.map((name) => `sliding, ${name}`)], rows,
      note: `Relative error of the gradient. ${HOLDS} W_hy and b_y have no error. window(k) was run at some k only.` };
  },
  lags({ bias_curve: b }) {
    return columns("lag", { "mean |dL_s/dh|": b.norm_by_lag, "signed share": b.share_by_lag }, (i) => i,
      `Shares of the whole gradient; with ${number(b.readout_share)} of W_hy and b_y they sum to 1. ${HOLDS}`);
  },
  paths({ paths }) {
    return columns("step", paths.shares, (t) => t, `Signed shares of dL/d${paths.of}_t by the way it came; each row sums to 1. ${HOLDS}`);
  },
  rule_1997({ paths }) {
    return columns("step", paths.rule ? { truth: paths.truth, "1997 rule": paths.rule } : { truth: paths.truth }, (t) => t,
      `Of the last loss, the norm averaged over the batch. ${HOLDS}`);
  },
  gates({ gates }) {
    return columns("step", Object.fromEntries(Object.keys(gates.mean).flatMap((name) =>
      [[`${name}, mean`, gates.mean[name]], [`${name}, above 0.9`, gates.open[name]], [`${name}, below 0.1`, gates.closed[name]]])), (t) => t,
    `Over the units of the top layer and the batch. ${HOLDS}`);
  },
  memory({ gates }) {
    return columns("rank", { "memory, steps": gates.memory }, (i) => i + 1, `Steps until a unit's retaining gate alone has left 1/e. ${HOLDS}`);
  },
  spectrum({ spectrum: s }) {
    return columns("step", { largest: s.largest, smallest: s.smallest }, (i) => s.steps[i],
      `Singular values of the step's Jacobian, whole state, first sample. ${HOLDS}`);
  },
  products({ spectrum: s }) {
    return columns("lag", { "log10 of the product's largest": s.log10_product, "log10 of the bound": s.log10_bound }, (i) => s.lags[i],
      `Products of step Jacobians that end at the last step. ${HOLDS}`);
  },
  lyapunov({ spectrum: s }) {
    return columns("rank", { "exponent per step": s.lyapunov, "factor per step": Array.from(s.lyapunov, Math.exp) }, (i) => i + 1,
      `Spectral radii: ${Object.entries(s.spectral_radius).map(([name, radius]) => `${name} ${number(Number(radius))}`).join(", ")}. ${HOLDS}`);
  },
  draws(a) {
    return columns("step", { full: a.full.h, "mean over draws": a.draws.h_mean, "standard deviation": a.draws.h_spread }, (t) => t,
      `|dL/dh_t| under random(${a.draws.p}). ${HOLDS}`);
  },
  draw_errors({ draws }) {
    const order = byError(draws);
    return columns("rank", { "relative error": order.map((i) => draws.relative_error[i]), cosine: order.map((i) => draws.cosine[i]),
      "share kept": order.map((i) => draws.kept[i]) }, (i) => i + 1, `Draws of random(${draws.p}), each beside full BPTT. ${HOLDS}`);
  },
};

/** What the marked step, or the marked place on the picture's own axis, says. @type {Record<string, (analysis: Analysis, i: number) => string>} */
export const DEEPER_READOUTS = {
  bias_curve({ bias_curve: b }, i) {
    const at = Array.from(b.window_k).indexOf(i + 1);
    const run = at < 0 ? "" : `, window(${i + 1}) by ${percent(b.window[at])}`;
    return `k = ${i + 1}: sliding(${i + 1}) is off by ${percent(b.sliding[i])}${run}; adaptive's bound ${percent(b.adaptive.bound[i])}.`;
  },
  lags({ bias_curve: b }, i) {
    return `Lag ${i}: mean norm ${number(b.norm_by_lag[i])}; it brings ${percent(b.share_by_lag[i])} of the whole gradient.`;
  },
  paths({ paths }, t) {
    return `Step ${t}: ${Object.entries(paths.shares).map(([name, share]) => `${name} ${percent(share[t])}`).join(", ")}.`;
  },
  rule_1997({ paths }, t) {
    const rule = paths.rule ? `, the 1997 rule ${number(paths.rule[t])}: the truth is ${number(paths.truth[t] / paths.rule[t])} times as much` : "";
    return Number.isNaN(paths.truth[t]) ? `Step ${t} comes after the last loss.` : `Step ${t}: truth ${number(paths.truth[t])}${rule}.`;
  },
  gates({ gates }, t) {
    return `Step ${t}: ${Object.keys(gates.mean).map((name) =>
      `${name} ${number(gates.mean[name][t])} (${percent(gates.open[name][t])} open, ${percent(gates.closed[name][t])} shut)`).join(", ")}.`;
  },
  memory({ gates }, i) {
    return `Unit of rank ${i + 1}: ${number(gates.memory[i])} steps until 1/e is left.`;
  },
  spectrum({ spectrum: s }, t) {
    const steps = Array.from(s.steps);
    const i = steps.reduce((best, step, at) => (Math.abs(step - t) < Math.abs(steps[best] - t) ? at : best), 0);
    return `Step ${steps[i]}${steps[i] === t ? "" : ` (the nearest to ${t} that was looked at)`}: largest ${number(s.largest[i])}, smallest ${number(s.smallest[i])}.`;
  },
  products({ spectrum: s }, i) {
    return `Over ${s.lags[i]} steps: the product ${tenTo(s.log10_product[i])}, at most ${tenTo(s.log10_bound[i])} by the bound.`;
  },
  lyapunov({ spectrum: s }, i) {
    return `Direction ${i + 1}: exponent ${number(s.lyapunov[i])}, a factor of ${number(Math.exp(s.lyapunov[i]))} per step.`;
  },
  draws(a, t) {
    return `Step ${t}: full ${number(a.full.h[t])}, the draws' mean ${number(a.draws.h_mean[t])} \u00b1 ${number(a.draws.h_spread[t])}.`;
  },
  draw_errors({ draws }, i) {
    const one = byError(draws)[i];
    return `Draw of rank ${i + 1}: relative error ${percent(draws.relative_error[one])}, cosine ${number(draws.cosine[one])}, share kept ${percent(draws.kept[one])}.`;
  },
};

/**
 * Returns ten to some power, in words that also hold far outside of double precision.
 * @param {number} exponent
 */
export function tenTo(exponent) {
  if (!Number.isFinite(exponent) || Math.abs(exponent) < 300) return number(10 ** exponent);
  const whole = Math.floor(exponent);
  return `${(10 ** (exponent - whole)).toFixed(1)}e${String(whole).replace("-", "\u2212")}`;
}

/** @param {{relative_error: ArrayLike<number>}} draws */
function byError(draws) {
  return Array.from(draws.relative_error, (_, i) => i).sort((a, b) => draws.relative_error[a] - draws.relative_error[b]);
}

/**
 * @param {string} first
 * @param {Record<string, ArrayLike<number>>} values one array a column
 * @param {(i: number) => number} key
 * @param {string} note
 * @returns {Table}
 */
function columns(first, values, key, note) {
  const arrays = Object.values(values);
  const rows = Array.from(arrays[0] ?? [], (_, i) => [key(i), ...arrays.map((array) => array[i])]);
  return { columns: [first, ...Object.keys(values)], rows, note };
}
