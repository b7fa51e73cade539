/** Which steps an analysis has: all, from 0 on, or those of a close-up of a long sequence. (leaf) */

/** @param {any} analysis */
export function firstOf({ first = 0 }) {
  return first;
}

/** @param {any} analysis */
export function lastOf({ first = 0, plan }) {
  return first + plan.cut.length - 1;
}
