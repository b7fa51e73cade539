/** The table behind each picture of a trace, and what it says of the marked place: pure functions of the answer. */

import { number } from "./format.js";

/**
 * @typedef {any} View the answer of `POST /api/v1/traces`
 * @typedef {import("./tables.js").Table} Table
 * @typedef {{at: number, loss: number, row: string}} Place a step or an update; a loss by its place; a state by name
 */

const NOWHERE = -1;
const MIB = 2 ** 20;

/** @type {Record<string, (view: View, place: Place) => Table>} */
export const MODEL_TABLES = {
  credit, loss: (view) => overSteps(view, { loss: view.loss.per_step }, "Mean over the batch; not a number where no loss is read."),
  grad: (view) => overSteps(view, named(view, view.grad), "Norms per sample, averaged over the batch; not a number where none was recorded."),
  state: (view) => overSteps(view, named(view, view.state), "Norms per sample, averaged over the batch."),
  parameters, memory,
};

/**
 * Returns a value a row by the row's short name.
 * @param {View} view
 * @param {Record<string, ArrayLike<number>>} rows
 */
function named(view, rows) {
  return Object.fromEntries(Object.entries(rows).map(([row, values]) => [view.short[row], values]));
}

/**
 * @param {View} view
 * @param {Record<string, ArrayLike<number>>} columns
 * @param {string} note
 * @returns {Table}
 */
function overSteps(view, columns, note) {
  const count = view.plan.cut.length;
  const rows = Array.from({ length: count }, (_, i) => [stepsOf(view, i), ...Object.values(columns).map((values) => values[i])]);
  const coarse = view.stride > 1 ? ` Each row stands for ${view.stride} steps and has the largest of them.` : "";
  return { columns: [view.stride > 1 ? "steps" : "step", ...Object.keys(columns)], rows, note: note + coarse };
}

/**
 * @param {View} view
 * @param {number} column
 */
export function stepsOf(view, column) {
  const first = column * view.stride;
  return view.stride === 1 ? first : `${first} to ${Math.min(view.steps, first + view.stride) - 1}`;
}

/**
 * @param {View} view
 * @param {Place} place
 * @returns {Table}
 */
function credit(view, { row }) {
  const { reach } = view;
  const matrix = view.credit[row];
  const numbers = matrix && matrix.h.length === reach.losses.length ? matrix.h : null;
  const steps = numbers ? Array.from(numbers[0], (_, i) => `t=${Math.round((i * view.plan.cut.length) / numbers[0].length) * view.stride}`) : [];
  const expected = reach.expected ? ["should reach"] : [];
  const names = Object.keys(reach.by_row);
  const rows = Array.from(reach.losses, (/** @type {number} */ s, i) => [s, ...expected.map(() => reach.expected[i]), step(reach.found[i]),
    ...names.map((name) => step(reach.by_row[name][i])), reach.differs[i] ? "differs" : "", ...(numbers ? Array.from(numbers[i]) : [])]);
  return { columns: ["loss step", ...expected, "reaches", ...names.map((name) => `in ${view.short[name]}`), "verdict", ...steps], rows,
    note: numbers ? `Then the norm of the loss's gradient with respect to ${view.short[row]} at each step.` : "The earliest step that each loss leads back to." };
}

/** @param {number} t */
function step(t) {
  return t === NOWHERE ? "nowhere" : t;
}

/**
 * @param {View} view
 * @returns {Table}
 */
function parameters(view) {
  const { updates, parameters: each } = view;
  const rows = updates ? Array.from(updates.first, (/** @type {number} */ u, i) => [`update ${u}`, updates.before?.[i] ?? "", updates.after?.[i] ?? ""]) : [];
  const byName = each ? each.names.map((/** @type {string} */ name, /** @type {number} */ i) => [name, each.before?.[i] ?? "", each.after?.[i] ?? ""]) : [];
  return { columns: ["of all parameters, or of one at its largest", "before clipping", "after clipping"], rows: [...rows, ...byName],
    note: "Norms of gradients: first all parameters together at each update, then the largest of each parameter." };
}

/**
 * @param {View} view
 * @returns {Table}
 */
function memory({ updates }) {
  return { columns: ["update", "resident memory, MiB"], note: "As the tap measured it.",
    rows: Array.from(updates.first, (/** @type {number} */ u, i) => [u, updates.memory[i] / MIB]) };
}

/** @type {Record<string, (view: View, place: Place) => string>} */
export const MODEL_READOUTS = {
  credit(view, { at, loss, row }) {
    const { reach, stride } = view;
    const s = reach.losses[loss];
    if (at > s) return `Step ${at} comes after the loss at step ${s}: nothing flows there.`;
    const there = reach.found[loss] !== NOWHERE && at >= reach.found[loss];
    const should = reach.expected ? (at >= reach.expected[loss] ? ", as it should" : ", and should not") : "";
    const shouldNot = reach.expected ? (at >= reach.expected[loss] ? ", but should" : ", and should not") : "";
    const norm = stride === 1 && view.credit[row]?.h.length === reach.losses.length ? view.credit[row].h[loss][at] : undefined;
    const size = norm === undefined ? "" : ` The norm of its gradient there is ${number(norm)}.`;
    return `The loss at step ${s} ${there ? `reaches step ${at}${should}` : `does not reach step ${at}${shouldNot}`}.${size}`;
  },
  loss: (view, { at }) => `${when(view, at)}: ${number(view.loss.per_step[column(view, at)])}.`,
  grad: (view, { at }) => lines(view, view.grad, at),
  state: (view, { at }) => lines(view, view.state, at),
  parameters({ updates }, { at }) {
    const parts = [["before clipping", updates.before], ["after", updates.after]].filter(([, values]) => values);
    return `Update ${updates.first[at]}: ${parts.map(([name, values]) => `${name} ${number(values[at])}`).join(", ")}.`;
  },
  memory: ({ updates }, { at }) => `Update ${updates.first[at]}: ${number(updates.memory[at] / MIB)} MiB.`,
};

/**
 * @param {View} view
 * @param {number} step
 */
function column(view, step) {
  return Math.floor(step / view.stride);
}

/**
 * @param {View} view
 * @param {number} step
 */
function when(view, step) {
  return view.stride === 1 ? `Step ${step}` : `Steps ${stepsOf(view, column(view, step))}`;
}

/**
 * @param {View} view
 * @param {Record<string, ArrayLike<number>>} rows
 * @param {number} at
 */
function lines(view, rows, at) {
  const parts = Object.entries(rows).slice(0, 8).map(([row, values]) => `${view.short[row]} ${number(values[column(view, at)])}`);
  return `${when(view, at)}: ${parts.join(", ")}.`;
}

/**
 * Returns what the trace is, in a line.
 * @param {View} view
 */
export function facts({ about, steps, stride }) {
  const checks = Object.entries(about.verified).map(([what, error]) => `${what} agree to ${number(/** @type {number} */ (error))}`);
  const shown = stride > 1 ? `, shown in columns of ${stride}` : "";
  return [`${about.tool}, ${about.framework}`, `${steps} steps${shown}`, `forward passes begin at ${starts(about.windows)}`,
    `states: ${about.rows.join(", ")}`, `batch of ${about.batch}`, ...checks].join("; ") + ".";
}

/** @param {ArrayLike<number>} windows */
function starts(windows) {
  const all = Array.from(windows);
  return all.length <= 6 ? all.join(", ") : `${all.slice(0, 5).join(", ")} and ${all.length - 5} more`;
}
