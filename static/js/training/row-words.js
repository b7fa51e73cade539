/** What a picture's table has at a moment, in words. */

import { number } from "../lib/format.js";

const MOST_READ = 8;

/**
 * Returns the row that is nearest to so many tokens; what has no number there, because it has not come as far, is left
 * out. Nothing at all is "".
 * @param {{columns: string[], rows: (string | number | null)[][]}} table
 * @param {number} tokens
 */
export function rowWords({ columns, rows }, tokens) {
  if (!rows.length) return "";
  const row = rows.reduce((best, one) => (Math.abs(Number(one[0]) - tokens) < Math.abs(Number(best[0]) - tokens) ? one : best));
  const values = columns.slice(1).map((name, i) => ({ name, value: Number(row[i + 1] ?? NaN) }));
  const there = values.filter(({ value }) => !Number.isNaN(value)).map(({ name, value }) => `${name} ${number(value)}`);
  const kept = there.length <= MOST_READ ? there : [0, Math.floor(there.length / 2), there.length - 1].map((i) => there[i]);
  return kept.length ? `After ${Number(row[0]).toLocaleString("en")} ${columns[0]}: ${kept.join("; ")}.` : "";
}
