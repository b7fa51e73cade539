/** How much a loss's gradient counts after so many edges, under the styles that weigh them. (leaf) */

/** @typedef {any} Analysis */

/**
 * Returns by how much each uncut edge multiplies what crosses it: 1, or 1 / (1 - p) where edges are cut at random.
 * @param {Analysis} analysis
 */
export function edgeWeight({ config }) {
  return config.style === "random" && config.gradient === "cut" ? 1 / (1 - config.p) : 1;
}

/**
 * Returns what is left under the truncation of a credit at step t of the loss at s.
 * @param {Analysis} analysis
 * @param {number} s
 * @param {number} t
 * @param {number} credit under full BPTT
 */
export function keptCredit(analysis, s, t, credit) {
  if (t < analysis.plan.reach[s] || credit === 0) return 0;
  return credit * edgeWeight(analysis) ** (s - t);
}
