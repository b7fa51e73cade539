/** Numbers in words: short, and always as long as they were, so that nothing jumps. */

/**
 * Returns a number with three significant digits; very large and small ones with an exponent.
 * @param {number | null | undefined} value
 */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "not a number";
  if (value === Infinity) return "infinite";
  if (value === -Infinity) return "minus infinite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const plain = size >= 1e3 ? value.toFixed(0) : value.toPrecision(3);
  return (size >= 1e-3 && size < 1e5 ? plain : value.toExponential(1)).replace("-", "\u2212").replace("e-", "e\u2212").replace("e+", "e");
}

/**
 * Returns a sentence of the engine as it is set on the page: a number keeps its unit on its line,
 * and very large and small numbers are written as `number` writes them.
 * @param {string} sentence
 */
export function set(sentence) {
  return sentence.replace(/(\d) (%|degrees?\b)/g, "$1\u00a0$2")
    .replace(/(\d)e([+-])0*(\d+)/g, (_, digit, sign, power) => `${digit}e${sign === "-" ? "\u2212" : ""}${power}`);
}

/**
 * Returns a certificate's error as it is written on the badge, e.g. "3e-15".
 * @param {number} error
 */
export function error(error) {
  return error === 0 ? "0" : Number.isFinite(error) ? error.toExponential(0) : number(error);
}

/**
 * Returns a share as a percentage.
 * @param {number | null} share
 */
export function percent(share) {
  if (share === null || !Number.isFinite(share)) return number(share);
  return `${(100 * share).toFixed(Math.abs(share) < 0.0995 ? 1 : 0).replace("-", "\u2212")}\u00a0%`;
}

/**
 * Returns a value as a cell of a CSV file: quoted where it must be, and never a spreadsheet's formula.
 * @param {string | number} value
 */
export function csvCell(value) {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Returns a table as CSV.
 * @param {{columns: string[], rows: Array<Array<string | number>>}} table
 */
export function csv(table) {
  return [table.columns, ...table.rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

/**
 * Returns a symbol as it can be seen: a space and a line's end have no shape of their own.
 * @param {string} label
 */
export function visible(label) {
  if (label === " ") return "\u2423";
  if (label === "\n") return "\u23ce";
  if (label === "\t") return "\u21e5";
  return label;
}
