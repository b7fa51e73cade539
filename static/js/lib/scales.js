/**
 * The one absolute scale of gradients: every arrow and every colour of the page reads a norm on
 * it, so that a vanished gradient looks vanished. `server/figures/scale.py` has the same bounds.
 */

export const LOW = 1e-9;
export const HIGH = 10;
const LOG_LOW = Math.log10(LOW);
const DECADES = Math.log10(HIGH) - LOG_LOW;

/** @typedef {"zero" | "below" | "scale" | "over" | "infinite" | "nan"} Kind */

/**
 * Returns what sort of number a norm is: exactly zero is not the same as small.
 * @param {number} norm
 * @returns {Kind}
 */
export function kindOf(norm) {
  if (Number.isNaN(norm)) return "nan";
  if (norm === 0) return "zero";
  if (norm === Infinity) return "infinite";
  if (norm < LOW) return "below";
  return norm > HIGH ? "over" : "scale";
}

/**
 * Returns where a norm stands on the scale: 0 at LOW and under it, 1 at HIGH and over it.
 * @param {number} norm
 */
export function level(norm) {
  if (!(norm > 0)) return 0;
  return Math.min(1, Math.max(0, (Math.log10(norm) - LOG_LOW) / DECADES));
}

/**
 * Returns the width of a line that shows a norm: `least` at LOW, `most` at HIGH, 0 for exactly zero.
 * @param {number} norm
 * @param {number} least
 * @param {number} most
 */
export function thickness(norm, least, most) {
  const kind = kindOf(norm);
  if (kind === "zero" || kind === "nan") return 0;
  return least + (most - least) * level(norm);
}

/**
 * Returns the value at a slider's position (0 to 1), on a linear or logarithmic track.
 * @param {number} position
 * @param {number} low
 * @param {number} high
 * @param {boolean} log
 */
export function valueAt(position, low, high, log) {
  return log ? low * (high / low) ** position : low + (high - low) * position;
}

/**
 * Returns the slider's position (0 to 1) of a value; values outside stand at the ends.
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @param {boolean} log
 */
export function positionOf(value, low, high, log) {
  if (high <= low) return 0;
  const position = log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.min(1, Math.max(0, position));
}

/**
 * Returns steps at which an axis over [from, to) has a label: multiples of 1, 2 or 5 times a power of ten.
 * @param {number} from
 * @param {number} to
 * @param {number} most labels
 */
export function ticks(from, to, most) {
  const every = niceStep((to - from) / Math.max(1, most));
  const found = [];
  for (let t = Math.ceil(from / every) * every; t < to; t += every) found.push(t);
  return found;
}

/**
 * Returns the smallest of 1, 2, 5, 10, 20, 50, ... that is at least `least`.
 * @param {number} least
 */
export function niceStep(least) {
  for (let power = 1; ; power *= 10) {
    for (const digit of [1, 2, 5]) if (digit * power >= least) return digit * power;
  }
}
