/** The steps of a long sequence that are drawn one by one: pure arithmetic. (leaf) */

/** @typedef {{from: number, to: number}} Range [from, to) */

export const MOST = 500; // steps that a close-up may have; `engine/long/closeup.py` has the same bound
const LEAST = 10;
const SHOWN = 200;

/**
 * Returns the range that a view asks for, or the last steps where it asks for none: never more than MOST.
 * @param {{from: number | null, to: number | null}} view
 * @param {number} steps
 * @returns {Range}
 */
export function rangeOf({ from, to }, steps) {
  if (from === null && to === null) return within({ from: steps - SHOWN, to: steps }, steps);
  const first = from ?? (to ?? 0) - SHOWN;
  return within({ from: first, to: to ?? first + SHOWN }, steps);
}

/**
 * Returns a range moved and shrunk or grown by as little as brings it into the sequence and its bounds.
 * @param {Range} range
 * @param {number} steps
 * @returns {Range}
 */
export function within({ from, to }, steps) {
  const count = Math.min(steps, MOST, Math.max(LEAST, Math.round(to) - Math.round(from)));
  const first = Math.min(steps - count, Math.max(0, Math.round(from)));
  return { from: first, to: first + count };
}

/**
 * @param {Range} range
 * @param {number} by steps
 * @param {number} steps
 */
export function moved(range, by, steps) {
  return within({ from: range.from + by, to: range.to + by }, steps);
}

/**
 * Returns the range made longer (above 1) or shorter about its middle.
 * @param {Range} range
 * @param {number} factor
 * @param {number} steps
 */
export function stretched(range, factor, steps) {
  const half = ((range.to - range.from) * factor) / 2;
  const middle = (range.from + range.to) / 2;
  return within({ from: middle - half, to: middle + half }, steps);
}

/**
 * Returns the range that a drag from one step to another picks: where that is more than may be drawn, the steps
 * nearest to where the drag is now.
 * @param {number} begun
 * @param {number} now
 * @param {number} steps
 */
export function dragged(begun, now, steps) {
  const start = now >= begun ? Math.max(begun, now - MOST) : now;
  return within({ from: start, to: Math.min(Math.max(begun, now), start + MOST) }, steps);
}

/**
 * Returns the range that a key asks for, or null where the key means nothing here.
 * @param {Range} range
 * @param {string} key
 * @param {boolean} far
 * @param {number} steps
 */
export function byKey(range, key, far, steps) {
  const count = range.to - range.from;
  const stride = far ? Math.round(steps / 10) : Math.max(1, Math.round(count / 2));
  /** @type {Record<string, () => Range>} */
  const keys = {
    ArrowLeft: () => moved(range, -stride, steps), ArrowDown: () => moved(range, -stride, steps),
    ArrowRight: () => moved(range, stride, steps), ArrowUp: () => moved(range, stride, steps),
    PageDown: () => moved(range, -Math.round(steps / 10), steps), PageUp: () => moved(range, Math.round(steps / 10), steps),
    Home: () => moved(range, -steps, steps), End: () => moved(range, steps, steps),
    "+": () => stretched(range, 0.5, steps), "=": () => stretched(range, 0.5, steps), "-": () => stretched(range, 2, steps),
  };
  return keys[key]?.() ?? null;
}
