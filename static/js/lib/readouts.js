/** What the step under the pointer says in each picture: a pure function of the analysis. */

import { number, visible } from "./format.js";
import { edgeWeight, keptCredit } from "./weights.js";

/** @typedef {any} Analysis */

/** @type {Record<string, (analysis: Analysis, t: number, row: number) => string>} */
export const READOUTS = {
  strip(a, t, row) {
    const s = a.credit?.loss_steps[row] ?? 0;
    const target = a.sequence.targets[t] ? `, target ${quoted(a.sequence.targets[t])}` : "";
    const read = `Step ${named(a, t)}: input ${quoted(a.sequence.inputs[t])}${target}.`;
    if (a.credit && row < 0) return read;
    if (!a.credit || t > s) return `${read} The loss at step ${named(a, s)} does not depend on it.`;
    const full = a.credit.h[row][t];
    const kept = keptCredit(a, s, t, full);
    return `${read} \u2016dL${subscript(named(a, s))}/dh${subscript(named(a, t))}\u2016: full ${number(full)}, truncated ${t < a.plan.reach[s] ? "0, cut off" : number(kept)}.`;
  },
  norms(a, t) {
    const cells = a.full.c ? `; cell state: full ${number(a.full.c[t])}, truncated ${number(a.truncated.c[t])}` : "";
    return `Step ${named(a, t)}: full ${number(a.full.h[t])}, truncated ${number(a.truncated.h[t])}${cells}.`;
  },
  credit(a, t, row) {
    if (!a.credit || a.credit.h.length === 0) return "";
    const s = a.credit.loss_steps[row];
    if (t > s) return `State step ${named(a, t)} comes after the picked loss at step ${named(a, s)}: nothing flows there.`;
    const weight = edgeWeight(a) ** (s - t);
    const kept = t < a.plan.reach[s] ? "cut off" : weight === 1 ? "reached" : `reached and weighted by ${number(weight)}`;
    return `Loss at step ${named(a, s)}, state at step ${named(a, t)}: ${number(a.credit.h[row][t])}, ${kept} under the truncation.`;
  },
  carry_over(a, t) {
    const c = a.carry_over;
    return `Step ${named(a, t)}: carried ${number(c.carried[t])}, reset ${number(c.reset[t])}, distance ${number(c.distance[t])}.`;
  },
  carry_units(a, t) {
    const c = a.carry_over;
    return `Step ${named(a, t)}: largest difference of a unit, ${number(largestDifference(c.units_carried[t], c.units_reset[t]))}.`;
  },
  costs(a) {
    const { angle, kept, relative_error: error } = a.costs.whole;
    if (kept === null || Number.isNaN(kept)) return "The whole gradient: not finite, or zero, so there is no angle and no share.";
    return `The whole gradient: turned by ${number(angle)} degrees, share kept ${number(kept)}, relative error ${number(error)}.`;
  },
  contributions(a, t) {
    const names = Object.keys(a.truncated.contributions);
    const largest = names.reduce((best, name) => (a.full.contributions[name][t] > a.full.contributions[best][t] ? name : best), names[0]);
    return `Step ${named(a, t)}, the largest, ${largest}: truncated ${number(a.truncated.contributions[largest][t])}, full ${number(a.full.contributions[largest][t])}.`;
  },
};

/**
 * Returns the number of a step in the whole sequence, of which a close-up shows a part.
 * @param {Analysis} a
 * @param {number} t
 */
function named(a, t) {
  return t + (a.first ?? 0);
}

/** @param {string} label */
function quoted(label) {
  return `\u201c${visible(label)}\u201d`;
}

/** @param {number} n */
function subscript(n) {
  return String(n).replace(/\d/g, (digit) => "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089"[Number(digit)]);
}

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
function largestDifference(a, b) {
  return Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}
