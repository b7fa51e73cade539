/** The table behind each picture: a pure function of the analysis. */

import { keptCredit } from "./weights.js";

/**
 * @typedef {{columns: string[], rows: Array<Array<string | number>>, note: string}} Table
 * @typedef {any} Analysis the answer of `/api/v1/analysis`
 */

/** @type {Record<string, (analysis: Analysis, row: number) => Table>} */
export const TABLES = { strip, norms, credit, carry_over, carry_units, costs, contributions };

/**
 * @param {Analysis} a
 * @param {string[]} columns
 * @param {(ArrayLike<number | string> | null | undefined)[]} values one array a column
 * @param {string} note
 * @returns {Table}
 */
function perStep(a, columns, values, note) {
  const kept = columns.flatMap((name, i) => (values[i] ? [{ name, array: /** @type {ArrayLike<number | string>} */ (values[i]) }] : []));
  const rows = Array.from({ length: a.plan.cut.length }, (_, t) => [t + (a.first ?? 0), ...kept.map(({ array }) => array[t])]);
  return { columns: ["step", ...kept.map(({ name }) => name)], rows, note };
}

/**
 * @param {Analysis} a
 * @param {number} row of the credit matrix
 */
function strip(a, row) {
  const { first = 0 } = a;
  const s = a.credit ? a.credit.loss_steps[row] : a.plan.cut.length - 1;
  const credit = a.credit?.h[row];
  const full = credit && Array.from(credit, (value, t) => (t <= s ? value : ""));
  const truncated = credit && Array.from(credit, (value, t) => (t > s ? "" : keptCredit(a, s, t, value)));
  return perStep(a, ["input", "target", "cut before", "reset before", `full |dL_${s + first}/dh|`, `truncated |dL_${s + first}/dh|`],
    [a.sequence.inputs, a.sequence.targets, words(a.plan.cut), words(a.plan.reset), full, truncated],
    credit ? `The gradient of the loss at step ${s + first}, norms averaged over the batch.` : "No loss is read at these steps.");
}

/** @param {ArrayLike<number>} flags */
function words(flags) {
  return Array.from(flags, (flag) => (flag ? "yes" : ""));
}

/** @param {Analysis} a */
function norms(a) {
  return perStep(a, ["full |dL/dh|", "truncated |dL/dh|", "full |dL/dc|", "truncated |dL/dc|"],
    [a.full.h, a.truncated.h, a.full.c, a.truncated.c], "Norms per sample, averaged over the batch.");
}

/** @param {Analysis} a */
function credit(a) {
  const { first = 0 } = a;
  const steps = a.plan.cut.length;
  const rows = a.credit ? Array.from(a.credit.loss_steps, (/** @type {number} */ s, i) =>
    [s + first, a.plan.reach[s] + first, ...Array.from(a.credit.h[i], (value, t) => (t <= s ? /** @type {number} */ (value) : ""))]) : [];
  return { columns: ["loss step", "reach", ...Array.from({ length: steps }, (_, t) => `t=${t + first}`)], rows,
    note: `|dL_s/dh_t| of full BPTT; under the truncation, what lies before the reach is 0.${selected(a)}` };
}

/** @param {Analysis} a */
function selected({ credit, awaited }) {
  if (awaited) return " Only the picked loss: the others are still being computed.";
  return credit?.complete === false ? " An even selection of the loss steps." : "";
}

/** @param {Analysis} a */
function carry_over(a) {
  const c = a.carry_over;
  return perStep(a, ["|carried|", "|reset|", "distance", "loss carried", "loss reset"],
    [c.carried, c.reset, c.distance, c.loss_carried, c.loss_reset], "Norms per sample, averaged over the batch; h and c of all layers.");
}

/** @param {Analysis} a */
function carry_units(a) {
  const c = a.carry_over;
  const units = c.units_carried[0]?.length ?? 0;
  const names = ["carried", "reset"].flatMap((kind) => Array.from({ length: units }, (_, u) => `${kind} ${u}`));
  const rows = Array.from(c.units_carried, (/** @type {ArrayLike<number>} */ carried, t) => [/** @type {number} */ (t) + (a.first ?? 0), ...Array.from(carried), ...Array.from(/** @type {ArrayLike<number>} */ (c.units_reset[t]))]);
  return { columns: ["step", ...names], rows, note: "h of the first sample's top layer." };
}

/** @param {Analysis} a */
function costs(a) {
  const all = Object.entries({ whole: a.costs.whole, ...a.costs.blocks });
  const rows = all.map(([name, c]) => [name, c.cosine, c.angle, c.kept, c.relative_error, c.norm_truncated, c.norm_full].map((v) => v ?? NaN));
  return { columns: ["block", "cosine", "angle, degrees", "share kept", "relative error", "truncated norm", "full norm"], rows,
    note: "Not a number where the full gradient of a block is zero." };
}

/** @param {Analysis} a */
function contributions(a) {
  const names = Object.keys(a.truncated.contributions);
  return perStep(a, names.flatMap((name) => [`${name} truncated`, `${name} full`]),
    names.flatMap((name) => [a.truncated.contributions[name], a.full.contributions[name]]), "Norm of the step's term of each block's gradient.");
}
