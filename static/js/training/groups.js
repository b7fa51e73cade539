/** Where each option of a lab stands in the form, and the range in which its slider is useful. */

/** @type {{title: string, options: string[], more?: string[]}[]} */
export const LAB_GROUPS = [
  { title: "Data", options: ["task", "text", "series", "steps", "lag"], more: ["vocabulary", "words", "held_out"] },
  { title: "Network", options: ["cell", "hidden"], more: ["layers", "embedding", "forget_bias", "reset_after", "init", "gain", "dtype"] },
  { title: "Training", options: ["tokens", "seeds", "batch", "optimiser", "rate", "clip"], more: ["clip_by", "decay", "loss", "update", "evaluations", "seed"] },
];

/** @type {Record<string, {low: number, high: number, step?: number, log?: boolean}>} */
const RANGES = {
  hidden: { low: 1, high: 512, log: true }, layers: { low: 1, high: 3 }, embedding: { low: 0, high: 128 }, forget_bias: { low: -5, high: 5, step: 0.1 },
  gain: { low: 0, high: 4, step: 0.05 }, batch: { low: 1, high: 128, log: true }, tokens: { low: 1000, high: 2_000_000, log: true }, seeds: { low: 1, high: 10 },
  lag: { low: 1, high: 200, log: true }, k: { low: 1, high: 200, log: true }, k1: { low: 1, high: 200, log: true }, k2: { low: 1, high: 200, log: true },
  p: { low: 0, high: 0.95, step: 0.01 }, held_out: { low: 0.01, high: 0.5, step: 0.01 },
};

/**
 * Returns the range of an option's slider; null for none. One of several alike is named "strategy.k".
 * @param {{name: string}} option
 */
export function labRange({ name }) {
  const range = RANGES[name.split("-").at(-1) ?? ""];
  return range ? { step: 1, log: false, ...range } : null;
}
