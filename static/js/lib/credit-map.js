/** A gradient picture as shades and places: pure arithmetic, without a page. */

import { number } from "./format.js";

/**
 * @typedef {{title: string, values: number[][], edges: number[]}} Side
 * @typedef {{quantity: string, row_title: string, column_title: string, rows: number[], columns: number[], low: number, high: number,
 *   broken: Side, mended: Side, sentence: string}} Maps
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 */

export const SHADES = 6;
const TICKS = 7;

/**
 * Returns a value's shade on the absolute scale from low to high, 0 to 5; -1 where nothing arrives.
 * @param {number | null} value
 * @param {number} low
 * @param {number} high
 */
export function shade(value, low, high) {
  if (value === null || !(value > 0)) return -1;
  const share = Math.log(value / low) / Math.log(high / low);
  return Math.max(0, Math.min(SHADES - 1, Math.floor(SHADES * share)));
}

/**
 * Returns the values at which the shades begin, and where the last one ends.
 * @param {number} low
 * @param {number} high
 */
export function bounds(low, high) {
  return Array.from({ length: SHADES + 1 }, (_, n) => low * (high / low) ** (n / SHADES));
}

/**
 * Returns, for each shade, the SVG path of its cells in a box. Row 0 stands at the bottom, as on the Explore page.
 * @param {number[][]} values
 * @param {{low: number, high: number}} scale
 * @param {Box} box
 */
export function cells(values, { low, high }, box) {
  const paths = Array.from({ length: SHADES }, () => "");
  const height = box.height / values.length;
  values.forEach((row, r) => {
    const width = box.width / row.length;
    row.forEach((value, c) => {
      const found = shade(value, low, high);
      if (found >= 0) paths[found] += `M${place(box.left + c * width)} ${place(box.top + (values.length - 1 - r) * height)}h${place(width)}v${place(height)}h${place(-width)}z`;
    });
  });
  return paths;
}

/**
 * Returns the labels along an axis, at most TICKS of them and always the first: where, as a share of the axis, and what.
 * @param {number[]} labels
 */
export function ticks(labels) {
  const every = Math.max(1, Math.ceil(labels.length / TICKS));
  return labels.flatMap((label, n) => (n % every ? [] : [{ at: (n + 0.5) / labels.length, label: String(label) }]));
}

/**
 * Returns both pictures as the rows of one table: only cells in which either has something.
 * @param {Maps} maps
 */
export function tableRows(maps) {
  return maps.rows.flatMap((row, r) => maps.columns.flatMap((column, c) => {
    const pair = [maps.broken.values[r][c], maps.mended.values[r][c]];
    return pair.some((value) => value !== 0) ? [[String(row), String(column), ...pair.map(number)]] : [];
  }));
}

/**
 * Returns an amount as the table of numbers shows it: counts in full, the rest with three digits.
 * @param {number | null} value
 * @param {string} unit
 */
export function amount(value, unit) {
  const whole = value !== null && Number.isInteger(value);
  return `${whole ? value.toLocaleString("en") : number(value)}${unit ? `${unit.includes(" ") ? " " : "\u00a0"}${unit}` : ""}`;
}

/** @param {number} value */
function place(value) {
  return String(Number(value.toFixed(2)));
}
