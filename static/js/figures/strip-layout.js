/**
 * The unrolled strip as geometry: a pure function of (data, view, size) to a scene of plain
 * numbers. `strip-paint.js` draws the scene, and the tests read it.
 */

import { niceStep, ticks } from "../lib/scales.js";

/**
 * @typedef {object} StripData
 * @property {number} steps
 * @property {readonly string[]} inputs label of each step's input
 * @property {readonly string[]} targets label of each step's target, "" where there is none
 * @property {Set<number>} losses steps at which a loss is read
 * @property {ArrayLike<number>} starts first step of each window
 * @property {ArrayLike<number>} cut per step: 1 if no gradient crosses the edge to the step before
 * @property {ArrayLike<number>} reset per step: 1 if the state is reset before it
 * @property {ArrayLike<number>} reach per loss step: earliest step that it reaches
 * @property {ArrayLike<number> | null} row credit of the picked loss, per state step
 *
 * @typedef {{s: number, at: number, from: number, to: number}} StripView the picked loss, the step
 *   to which its backward pass is shown, and the steps in sight: [from, to)
 * @typedef {{width: number, em: number, labels: number}} StripSize em: the size of a line of text, in
 *   pixels; labels: what the names of the rows take on the left
 *
 * @typedef {object} Block one cell of the picture: a step, or several that lie together
 * @property {number} from
 * @property {number} to last step
 * @property {number} x left edge
 * @property {number} width
 * @property {number} middle
 * @property {boolean} loss
 * @property {boolean} picked
 * @property {number} kept largest credit that arrives in it under the truncation, NaN if it has no such step
 * @property {number} lost largest credit that full BPTT would bring and the cut keeps out, NaN if none
 *
 * @typedef {{x: number, step: number, cut: boolean, reset: boolean, count: number, left: number, right: number}} Edge
 *   the edge before `step`; `count` of them where a block hides more than one
 * @typedef {{from: number, to: number, x: number, width: number, index: number}} Band a window in sight
 * @typedef {{x: number, step: number}} Tick
 * @typedef {{blocks: Block[], edges: Edge[], bands: Band[], ticks: Tick[], group: number, cell: number,
 *   pitch: number, left: number, right: number}} Scene
 */

const LEAST_PITCH = 0.92; // em: below this a symbol cannot be read, and steps are grouped
const MOST_PITCH = 6;
const GAP = 1.15; // em: between windows
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
  const room = size.width - left - SIDE * em;
  const joints = jointsOf(data, view);
  const { spans, group } = groupSteps(view, joints, room, em);
  const gaps = spans.filter((span) => joints.has(span.from) && span.from > view.from).length;
  const pitch = Math.min(MOST_PITCH * em, (room - gaps * GAP * em) / spans.length);
  const cell = Math.min(2.6 * em, pitch * 0.78);
  const blocks = place(spans, joints, data, view, { left, pitch, cell, gap: GAP * em });
  return { blocks, edges: edgesOf(blocks, data, view), bands: bandsOf(blocks, data, GAP * em),
    ticks: ticksOf(blocks, view, pitch, em), group, cell, pitch, left, right: left + room };
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
 * Groups the steps in sight so that every block can be read: first one step a block, then 2, 5, 10
 * ... A block ends at a window's edge, unless the windows themselves are too many to be seen.
 * @param {StripView} view
 * @param {Set<number>} joints
 * @param {number} room
 * @param {number} em
 */
function groupSteps(view, joints, room, em) {
  const count = view.to - view.from;
  for (let group = 1; ; group = niceStep(group + 1)) {
    const spans = spansOf(view, joints, group);
    if (spans.length * LEAST_PITCH * em + joints.size * GAP * em <= room) return { spans, group };
    if (joints.size * (LEAST_PITCH + GAP) * em > room / 1.5 || group > count) return groupAcross(view, joints, room, em);
  }
}

/**
 * @param {StripView} view
 * @param {Set<number>} joints
 * @param {number} room
 * @param {number} em
 */
function groupAcross(view, joints, room, em) {
  const group = niceStep(((view.to - view.from) * LEAST_PITCH * em) / room);
  joints.clear();
  return { spans: spansOf(view, joints, group), group };
}

/**
 * @param {StripView} view
 * @param {Set<number>} joints
 * @param {number} group
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

/**
 * @param {{from: number, to: number}[]} spans
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
  if (data.row === null) return { kept, lost };
  const reach = data.reach[view.s];
  for (let t = Math.max(from, view.at); t <= Math.min(to, view.s); t++) {
    if (t >= reach) kept = larger(kept, data.row[t]);
    else lost = larger(lost, data.row[t]);
  }
  return { kept, lost };
}

/**
 * @param {number} a NaN: nothing yet
 * @param {number} b
 */
function larger(a, b) {
  return Number.isNaN(a) || b > a ? b : a;
}

/**
 * The edges at which something happens: cut, reset, or the end of the picked loss's reach.
 * @param {Block[]} blocks
 * @param {StripData} data
 * @param {StripView} view
 * @returns {Edge[]}
 */
function edgesOf(blocks, data, view) {
  const edges = [];
  for (const [i, block] of blocks.entries()) {
    const inner = edgesWithin(data, view, block, i > 0);
    if (inner.count === 0) continue;
    const before = i > 0 && inner.first === block.from ? blocks[i - 1] : block;
    const left = before === block ? block.x : before.x + before.width;
    const right = before === block ? block.x + block.width : block.x;
    edges.push({ x: (left + right) / 2, step: inner.first, cut: inner.cut, reset: inner.reset, count: inner.count, left, right });
  }
  return edges;
}

/**
 * @param {StripData} data
 * @param {StripView} view
 * @param {Block} block
 * @param {boolean} withFirst whether the edge before the block is in sight
 */
function edgesWithin(data, view, block, withFirst) {
  const found = { count: 0, first: -1, cut: false, reset: false };
  const reach = data.reach[view.s];
  for (let t = block.from + (withFirst ? 0 : 1); t <= block.to; t++) {
    const cut = Boolean(data.cut[t]) || (t > 0 && t === reach && t <= view.s);
    if (!cut && !data.reset[t]) continue;
    if (found.count++ === 0) found.first = t;
    found.cut ||= cut;
    found.reset ||= Boolean(data.reset[t]);
  }
  return found;
}

/**
 * @param {Block[]} blocks
 * @param {StripData} data
 * @param {number} gap
 * @returns {Band[]}
 */
function bandsOf(blocks, data, gap) {
  /** @type {Band[]} */
  const bands = [];
  let window = -1;
  for (const block of blocks) {
    while (window + 1 < data.starts.length && data.starts[window + 1] <= block.from) window += 1;
    const last = bands.at(-1);
    if (last && last.index === window) Object.assign(last, { to: block.to, width: block.x + block.width + gap / 4 - last.x });
    else bands.push({ from: block.from, to: block.to, x: block.x - gap / 4, width: block.width + gap / 2, index: window });
  }
  return bands;
}

/**
 * @param {Block[]} blocks
 * @param {StripView} view
 * @param {number} pitch
 * @param {number} em
 * @returns {Tick[]}
 */
function ticksOf(blocks, view, pitch, em) {
  const most = Math.max(2, Math.floor((blocks.length * pitch) / (3.5 * em)));
  const wanted = ticks(view.from, view.to, most);
  return wanted.map((step) => ({ step, x: blockAt(blocks, step)?.middle ?? 0 }));
}

/**
 * Returns the block that holds a step, or undefined.
 * @param {Block[]} blocks
 * @param {number} step
 */
export function blockAt(blocks, step) {
  let low = 0;
  let high = blocks.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (blocks[middle].to < step) low = middle + 1;
    else if (blocks[middle].from > step) high = middle - 1;
    else return blocks[middle];
  }
  return undefined;
}

/**
 * Returns the step nearest to a horizontal position.
 * @param {Scene} scene
 * @param {number} x
 */
export function stepAt(scene, x) {
  const { blocks, pitch } = scene;
  let best = blocks[0];
  for (const block of blocks) if (Math.abs(block.middle - x) < Math.abs(best.middle - x)) best = block;
  const within = (x - best.middle) / pitch + 0.5;
  return Math.min(best.to, Math.max(best.from, best.from + Math.floor(within * (best.to - best.from + 1))));
}

/**
 * Returns the steps in sight after zooming by a factor about a step; never fewer than five.
 * @param {{from: number, to: number}} span
 * @param {number} factor above 1 shows more
 * @param {number} about
 * @param {number} steps
 */
export function zoomed(span, factor, about, steps) {
  const count = Math.min(steps, Math.max(Math.min(5, steps), Math.round((span.to - span.from) * factor)));
  const share = (about - span.from + 0.5) / (span.to - span.from);
  return panned({ from: 0, to: count }, Math.round(about + 0.5 - share * count), steps);
}

/**
 * Returns the span moved by some steps, kept within the sequence.
 * @param {{from: number, to: number}} span
 * @param {number} by
 * @param {number} steps
 */
export function panned(span, by, steps) {
  const count = Math.min(steps, span.to - span.from);
  const from = Math.min(steps - count, Math.max(0, span.from + by));
  return { from, to: from + count };
}
