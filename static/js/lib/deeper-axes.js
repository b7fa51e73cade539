/** What lies along each deeper picture's own axis, and where the k in force stands: pure functions. */

/**
 * @typedef {any} Analysis the answer of `/api/v1/analysis` with what the panel includes
 * @typedef {{word: string, log: boolean, values: (analysis: Analysis) => number[]}} OwnAxis
 */

/** @param {number} n */
const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1);

/** The pictures whose horizontal axis is not the step: what it counts, and its values. @type {Record<string, OwnAxis>} */
export const AXES = {
  bias_curve: { word: "k", log: true, values: ({ bias_curve: b }) => upTo(b.sliding.length) },
  lags: { word: "lag", log: false, values: ({ bias_curve: b }) => Array.from(b.norm_by_lag, (_, lag) => lag) },
  memory: { word: "unit", log: false, values: ({ gates }) => upTo(gates.memory.length) },
  products: { word: "lag", log: true, values: ({ spectrum }) => Array.from(spectrum.lags) },
  lyapunov: { word: "direction", log: false, values: ({ spectrum }) => upTo(spectrum.lyapunov.length) },
  draw_errors: { word: "draw", log: false, values: ({ draws }) => upTo(draws.relative_error.length) },
};

/** The styles' options: the diagnostics of full BPTT do not depend on them. */
const OF_THE_STYLE = ["style", "k", "k1", "k2", "p", "value", "gradient"];

/**
 * Returns what a panel's answer depends on, as text.
 * @param {URLSearchParams} query the canonical query of the config
 * @param {boolean} styled whether the truncation's style matters too
 */
export function dependsOn(query, styled) {
  const kept = [...query].filter(([name]) => styled || !OF_THE_STYLE.includes(name));
  return new URLSearchParams(kept).toString();
}

/**
 * Returns the k of a style that has one, at most T; NaN for the others.
 * @param {Record<string, any>} config
 * @param {number} steps
 */
export function kInForce(config, steps) {
  return config.style === "window" || config.style === "sliding" ? Math.min(Number(config.k), steps) : NaN;
}

/**
 * Returns a figure with its marker of the k in force moved.
 * @param {{data: any[], layout: any}} figure
 * @param {number} k NaN for none
 */
export function withK(figure, k) {
  const data = figure.data.map((trace) => (trace.uid === "k" ? { ...trace, x: [k, k], showlegend: Number.isFinite(k) } : trace));
  return { ...figure, data };
}

/**
 * Returns the index of the value that is nearest to a place on an axis.
 * @param {number[]} values ascending
 * @param {number} place a value, or on a logarithmic axis its logarithm to base 10
 * @param {boolean} log
 */
export function nearest(values, place, log) {
  const at = (/** @type {number} */ value) => (log ? Math.log10(value) : value);
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(at(values[i]) - place) < Math.abs(at(values[best]) - place)) best = i;
  return best;
}
