/** Numbers beside numbers, in words. */

/** @typedef {{name: string, claimed: number, computed: number, tolerance: number, agrees: boolean}} Check */

const MINUS = "\u2212";

/**
 * Returns a number with its sign and exponent as people write them.
 * @param {string} text
 */
function written(text) {
  return text.replaceAll("-", MINUS).replace("e+", "e");
}

/**
 * Returns a claimed number with the digits that it was given, at most twelve.
 * @param {number} value
 */
export function claimed(value) {
  return written(String(Number(value.toPrecision(12))));
}

/**
 * Returns a computed number with ten digits; beside a claim of zero it is an error, and two are enough.
 * @param {number | null} value
 * @param {number} claim
 */
export function computed(value, claim) {
  if (value === null) return "not a number";
  return written(String(Number(value.toPrecision(claim === 0 ? 2 : 10))));
}

/**
 * Returns the difference that still agrees.
 * @param {number} value
 */
export function tolerance(value) {
  return value === 0 ? "none" : written(String(value));
}

/**
 * Returns how many results agree so far.
 * @param {boolean[]} verdicts of those that are computed
 * @param {number} all
 * @param {number} failed how many could not be computed
 */
export function tally(verdicts, all, failed) {
  const good = verdicts.filter(Boolean).length;
  const open = all - verdicts.length - failed;
  const parts = [`${good} of ${all} results agree`];
  const bad = verdicts.length - good;
  if (bad) parts.push(`${bad} ${bad === 1 ? "does" : "do"} not`);
  if (failed) parts.push(`${failed} could not be computed`);
  if (open) parts.push(`${open} to come`);
  return `${parts.join(", ")}.`;
}
