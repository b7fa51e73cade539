/**
 * The unrolled strip as geometry: a pure function of (data, view, size) to a scene of plain
 * numbers. `strip-paint.js` draws the scene, and the tests read it.
 */

import { ticks } from "../lib/scales.js";
import { bandsOf, edgesOf } from "./strip-edges.js";
import { groupSteps } from "./strip-groups.js";
import { blockAt } from "./strip-view.js";

/**
 * @typedef {import("./strip-types.js").StripData} StripData
 * @typedef {import("./strip-types.js").StripView} StripView
 * @typedef {import("./strip-types.js").StripSize} StripSize
 * @typedef {import("./strip-types.js").Block} Block
 * @typedef {import("./strip-types.js").Scene} Scene
 */

const MOST_PITCH = 6; // em
const SIDE = 0.75; // em: free on the left and right

/**
 * Returns the scene.
 * @param {StripData} data
 * @param {StripView} view
 * @param {StripSize} size
 * @returns {Scene}
 */
export function layoutStrip(data, view, size) {
  const { em } = size;
  const left = SIDE * em + size.labels;
  const room = roomOf(size);
  const { spans, group, joints, gap, across } = groupSteps(data, view, room, em);
  const gaps = spans.filter((span) => joints.has(span.from) && span.from > view.from).length;
  const pitch = Math.min(MOST_PITCH * em, (room - gaps * gap) / spans.length);
  const cell = Math.min(2.6 * em, pitch * 0.78);
  const blocks = place(spans, joints, data, view, { left, pitch, cell, gap });
  return { blocks, edges: edgesOf(blocks, data, view, em), bands: across ? [] : bandsOf(blocks, data, gap),
    ticks: ticksOf(blocks, view, pitch, em, data.first ?? 0), group, across, cell, pitch, left, right: left + room };
}

/**
 * Returns the width that the blocks share.
 * @param {StripSize} size
 */
export function roomOf({ width, em, labels }) {
  return width - labels - 2 * SIDE * em;
}

/**
 * @param {import("./strip-groups.js").Span[]} spans
 * @param {Set<number>} joints
 * @param {StripData} data
 * @param {StripView} view
 * @param {{left: number, pitch: number, cell: number, gap: number}} where
 * @returns {Block[]}
 */
function place(spans, joints, data, view, where) {
  let x = where.left;
  return spans.map(({ from, to }, i) => {
    if (i > 0 && joints.has(from)) x += where.gap;
    const left = x + (where.pitch - where.cell) / 2;
    x += where.pitch;
    return { from, to, x: left, width: where.cell, middle: left + where.cell / 2,
      loss: someLoss(data.losses, from, to), picked: view.s >= from && view.s <= to,
      ...credits(data, view, from, to) };
  });
}

/**
 * @param {Set<number>} losses
 * @param {number} from
 * @param {number} to
 */
function someLoss(losses, from, to) {
  for (let t = from; t <= to; t++) if (losses.has(t)) return true;
  return false;
}

/**
 * The largest credit of a block's steps: of those that the truncation reaches, and of those it does not.
 * @param {StripData} data
 * @param {StripView} view
 * @param {number} from
 * @param {number} to
 */
function credits(data, view, from, to) {
  let kept = NaN;
  let lost = NaN;
  if (data.row === null || data.kept === null) return { kept, lost };
  const reach = data.reach[view.s];
  for (let t = Math.max(from, view.at); t <= Math.min(to, view.s); t++) {
    if (t >= reach) kept = larger(kept, data.kept[t]);
    else lost = larger(lost, data.row[t]);
  }
  return { kept, lost };
}

/**
 * @param {number} a NaN: nothing yet
 * @param {number} b NaN: beyond infinity, and drawn like it
 */
function larger(a, b) {
  if (Number.isNaN(b)) return Infinity;
  return Number.isNaN(a) || b > a ? b : a;
}

/**
 * @param {Block[]} blocks
 * @param {StripView} view
 * @param {number} pitch
 * @param {number} em
 * @param {number} first
 * @returns {import("./strip-types.js").Tick[]}
 */
function ticksOf(blocks, view, pitch, em, first) {
  const most = Math.max(2, Math.floor((blocks.length * pitch) / (3.5 * em)));
  const wanted = ticks(view.from + first, view.to + first, most);
  return wanted.map((step) => ({ step, x: blockAt(blocks, step - first)?.middle ?? 0 }));
}
