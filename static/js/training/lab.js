/** What the person chose for a run: pure functions over the lab's options and its list of strategies. */

import { applies, defaults, read } from "../state.js";

/**
 * @typedef {import("../state.js").Option} Option
 * @typedef {Record<string, import("../state.js").Value>} Strategy style, k, k1, k2, p, value, order, frozen
 * @typedef {{config: import("../state.js").Config, strategies: Strategy[]}} Lab
 * @typedef {{name: string, title: string, help: string, lab: Record<string, any>}} LabPreset
 * @typedef {{options: Option[], strategy_options: Option[], presets: LabPreset[]}} LabCatalogue
 */

export const MOST_STRATEGIES = 8;

/**
 * Returns the lab that a preset or a run holds, as plain values of this page.
 * @param {Record<string, any>} given
 * @param {LabCatalogue} catalogue
 * @returns {Lab}
 */
export function labOf(given, { options, strategy_options: fields }) {
  const config = { ...defaults(options) };
  for (const option of options) if (option.name in given) config[option.name] = plain(option, given[option.name]);
  const strategies = (given.strategies ?? []).map((/** @type {Record<string, any>} */ one) => ({ ...defaults(fields), ...one }));
  return { config, strategies };
}

/**
 * @param {Option} option
 * @param {any} value
 */
function plain(option, value) {
  if (option.kind === "series") return seriesText(value);
  return typeof value === "string" && option.kind !== "text" ? read(option, value) : value;
}

/**
 * Returns columns as they are typed: one column on one line, several as rows of a CSV.
 * @param {number[][] | string} columns
 */
function seriesText(columns) {
  if (typeof columns === "string") return columns;
  if (columns.length < 2) return (columns[0] ?? []).join(",");
  return columns[0].map((_, row) => columns.map((column) => column[row]).join(",")).join("\n");
}

/**
 * Returns the lab as the server takes it: only what has a meaning under the other choices.
 * @param {Lab} lab
 * @param {LabCatalogue} catalogue
 * @returns {Record<string, any>}
 */
export function asBody({ config, strategies }, { options, strategy_options: fields }) {
  const kept = options.filter((option) => applies(option, config) && config[option.name] !== "");
  const body = Object.fromEntries(kept.map((option) => [option.name, config[option.name]]));
  return { ...body, strategies: strategies.map((one) => chosen(one, fields)) };
}

/**
 * @param {Strategy} strategy
 * @param {Option[]} fields
 */
function chosen(strategy, fields) {
  const kept = fields.filter((field) => applies(field, strategy));
  return Object.fromEntries(kept.map((field) => [field.name, strategy[field.name]]));
}

/**
 * Returns whether two labs are the same run: what does not apply does not count.
 * @param {Lab} a
 * @param {Lab} b
 * @param {LabCatalogue} catalogue
 */
export function sameLab(a, b, catalogue) {
  return JSON.stringify(asBody(a, catalogue)) === JSON.stringify(asBody(b, catalogue));
}

/**
 * Returns a strategy in a few words, as the engine names it.
 * @param {Strategy} strategy
 */
export function strategyName(strategy) {
  const { style, k, k1, k2, p } = strategy;
  const numbers = style === "k1k2" ? `${k1}, ${k2}` : style === "random" ? p : k;
  const title = style === "full" ? "full BPTT" : `${style}(${numbers})`;
  const value = style === "full" ? [] : [strategy.value === "carry" ? "state carried" : "state reset"];
  const order = strategy.order === "shuffled" ? ["windows shuffled"] : [];
  return [title, ...value, ...order, ...(strategy.frozen ? ["W_hh frozen"] : [])].join(", ");
}

/**
 * Returns a strategy that is not in the list yet, near to its last one.
 * @param {Strategy[]} strategies
 * @param {Option[]} fields
 * @returns {Strategy}
 */
export function another(strategies, fields) {
  const known = new Set(strategies.map(strategyName));
  const last = strategies.at(-1) ?? defaults(fields);
  const flipped = { ...last, value: last.value === "carry" ? "reset" : "carry" };
  if (last.style !== "full" && !known.has(strategyName(flipped))) return flipped;
  const next = { ...last, style: last.style === "full" ? "window" : last.style, value: "carry" };
  for (let k = Number(last.k) || 20; ; k *= 2) {
    const longer = { ...next, k, k1: k, k2: 2 * k, p: 1 / k };
    if (!known.has(strategyName(longer))) return longer;
  }
}

/**
 * Returns what a token of a lab is, in the plural.
 * @param {import("../state.js").Config} config
 */
export function tokenWord({ task, vocabulary }) {
  if (task === "text") return vocabulary === "word" ? "words" : "characters";
  return task === "copy" ? "symbols" : task === "lagged_bits" ? "bits" : "steps";
}
