/** What each option is called on the page, where it stands, and the range in which its slider is useful. */

/** @type {Record<string, string>} */
export const LABELS = {
  cell: "Cell", hidden: "Hidden width H", layers: "Layers", reset_after: "Reset gate", forget_bias: "Forget bias", init: "Initial weights",
  gain: "Recurrent gain", embedding: "Embedding width", task: "Task", steps: "Steps T", batch: "Batch B", lag: "Lag", text: "Text",
  series: "Numbers", loss_at: "Loss is read", style: "Truncation", k: "Window k (num_steps)", k1: "k1, between passes", k2: "k2, back in time", p: "Chance p of a cut",
  value: "The state's value", gradient: "The gradient at an edge", seed: "Seed", dtype: "Precision",
  tokens: "Tokens to train on", seeds: "Seeds", evaluations: "Evaluations", held_out: "Share held out", vocabulary: "A token is", words: "Words kept",
  optimiser: "Optimiser", rate: "Learning rate", decay: "Decay of the rate", clip: "Clip at", clip_by: "What is clipped", loss: "Loss of a window",
  update: "The weights change", order: "Windows come", frozen: "Recurrent matrices",
};

/**
 * Returns what an option is called; one of several alike has a label of its own.
 * @param {{name: string, label?: string}} option
 */
export function labelOf({ name, label }) {
  return label ?? LABELS[name] ?? name;
}

/** @type {{title: string, options: string[], more?: string[]}[]} */
export const GROUPS = [
  { title: "Truncation", options: ["style", "k", "k1", "k2", "p", "value", "gradient"] },
  { title: "Network", options: ["cell", "hidden", "gain"], more: ["forget_bias", "layers", "reset_after", "init"] },
  { title: "Task", options: ["task", "steps", "lag", "text", "series"], more: ["loss_at", "batch", "embedding"] },
  { title: "Chance", options: ["seed"] },
];

/**
 * Returns the range of an option's slider, or null where a slider would be of no use.
 * @param {import("../state.js").Option} option
 * @param {import("../state.js").Config} config
 * @returns {{low: number, high: number, step: number, log: boolean} | null}
 */
export function sliderRange(option, config) {
  const steps = Number(config.steps) || 60;
  /** @type {Record<string, {low: number, high: number, step?: number, log?: boolean}>} */
  const ranges = {
    hidden: { low: 1, high: 256, log: true }, layers: { low: 1, high: 3 }, forget_bias: { low: -5, high: 5, step: 0.1 },
    gain: { low: 0, high: 4, step: 0.05 }, embedding: { low: 0, high: 64 }, steps: { low: 2, high: 2000, log: true },
    batch: { low: 1, high: 64 }, lag: { low: 1, high: Math.max(2, steps - 1) }, k: { low: 1, high: steps },
    k1: { low: 1, high: steps }, k2: { low: 1, high: steps }, p: { low: 0, high: 0.95, step: 0.01 },
  };
  const range = ranges[option.name];
  return range ? { step: 1, log: false, ...range } : null;
}
