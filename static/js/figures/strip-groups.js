/** How steps are put together into blocks, so that every block can be read. */

import { niceStep } from "../lib/scales.js";

/**
 * @typedef {import("./strip-types.js").StripData} StripData
 * @typedef {import("./strip-types.js").StripView} StripView
 * @typedef {{from: number, to: number}} Span the first and the last step of a block
 * @typedef {{spans: Span[], group: number, joints: Set<number>, gap: number, across: boolean}} Grouped
 */

const LEAST_PITCH = 0.85; // em: below this a symbol cannot be read, and steps are grouped
const LEAST_GAP = 0.4; // em: between windows
const MOST_GAP = 1.15;

/**
 * Groups the steps in sight: first one step a block, then 2, 5, 10 ... A block ends at a window's
 * edge, unless the windows themselves are too many to be seen.
 * @param {StripData} data
 * @param {StripView} view
 * @param {number} room in pixels
 * @param {number} em
 * @returns {Grouped}
 */
export function groupSteps(data, view, room, em) {
  const joints = jointsOf(data, view);
  for (let group = 1; ; group = niceStep(group + 1)) {
    const spans = spansOf(view, joints, group);
    const spare = room - spans.length * LEAST_PITCH * em;
    if (spare >= joints.size * LEAST_GAP * em) return { spans, group, joints, gap: Math.min(MOST_GAP * em, spare / joints.size), across: false };
    if (joints.size * (LEAST_PITCH + LEAST_GAP) * em > room / 1.5 || group > view.to - view.from) return groupAcross(view, room, em);
  }
}

/**
 * Returns how many steps have room with a block each.
 * @param {StripData} data
 * @param {number} room
 * @param {number} em
 */
export function stepsThatFit(data, room, em) {
  const share = jointsOf(data, { s: 0, at: 0, from: 0, to: data.steps }).size / data.steps;
  return Math.max(5, Math.floor((room / em - LEAST_GAP) / (LEAST_PITCH + share * LEAST_GAP)));
}

/**
 * Steps in sight at which a window starts.
 * @param {StripData} data
 * @param {StripView} view
 */
function jointsOf(data, view) {
  const joints = new Set(Array.from(data.starts).filter((t) => t > view.from && t < view.to));
  for (let t = Math.max(1, view.from + 1); t < view.to; t++) if (data.cut[t] || data.reset[t]) joints.add(t);
  return joints;
}

/**
 * @param {StripView} view
 * @param {number} room
 * @param {number} em
 * @returns {Grouped}
 */
function groupAcross(view, room, em) {
  const group = niceStep(((view.to - view.from) * LEAST_PITCH * em) / room);
  const joints = /** @type {Set<number>} */ (new Set());
  return { spans: spansOf(view, joints, group), group, joints, gap: 0, across: true };
}

/**
 * @param {StripView} view
 * @param {Set<number>} joints
 * @param {number} group
 * @returns {Span[]}
 */
function spansOf(view, joints, group) {
  const spans = [];
  let from = view.from;
  for (let t = view.from + 1; t <= view.to; t++) {
    if (t < view.to && !joints.has(t) && t - from < group) continue;
    spans.push({ from, to: t - 1 });
    from = t;
  }
  return spans;
}
