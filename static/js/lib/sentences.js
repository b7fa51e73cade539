/** The sentence beside each picture: the engine's words, and for two pictures the numbers at the windows' starts. */

import { number } from "./format.js";

/** @typedef {any} Analysis */

/** @type {Record<string, (analysis: Analysis) => string>} */
export const SENTENCES = {
  norms: ({ words }) => words.norms,
  credit: ({ words }) => words.credit,
  carry_over: ({ words }) => words.carry_over,
  costs: ({ words }) => words.costs,
  carry_units: units,
  contributions,
};

/** @param {Analysis} analysis */
function units({ plan, carry_over: carry, first = 0 }) {
  const starts = Array.from(plan.window_starts).slice(1);
  const count = carry.units_carried[0]?.length ?? 0;
  if (starts.length === 0 && first > 0) return `No window starts at these steps. ${count} units are shown.`;
  if (starts.length === 0) return `One window: carried and reset are the same run. ${count} units are shown.`;
  const t = /** @type {number} */ (starts[0]);
  const last = /** @type {number} */ ((starts[1] ?? plan.cut.length) - 1);
  return `After a reset, step ${t + first} finds its units up to ${number(gap(carry, t))} away from where the carried state puts them; ` +
    `at step ${last + first}, the window's last, up to ${number(gap(carry, last))}.`;
}

/**
 * @param {any} carry
 * @param {number} t
 */
function gap(carry, t) {
  return Array.from(carry.units_carried[t]).reduce((/** @type {number} */ most, value, i) => Math.max(most, Math.abs(Number(value) - carry.units_reset[t][i])), 0);
}

/** @param {Analysis} analysis */
function contributions({ truncated, full, plan, first = 0 }) {
  let worst = { block: "", t: 0, ratio: 1 };
  for (const [block, values] of Object.entries(full.contributions)) {
    for (let t = 0; t < plan.cut.length; t++) {
      const ratio = truncated.contributions[block][t] / /** @type {any} */ (values)[t];
      if (ratio < worst.ratio) worst = { block, t, ratio };
    }
  }
  if (worst.block === "") return "No step's term of any weight's gradient is smaller than under full BPTT.";
  const { block, t } = worst;
  return `Hit hardest is step ${t + first} of ${block}: its term has norm ${number(truncated.contributions[block][t])} instead of ${number(full.contributions[block][t])}.`;
}
