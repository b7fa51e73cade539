/** The strip's cells: the value that is carried from one to the next, their symbols, and the losses. */

import { visible } from "../lib/format.js";
import { colour } from "./palette.js";
import { ROWS, letters } from "./strip-rows.js";
import { blockAt } from "./strip-view.js";

/**
 * @typedef {import("./strip-types.js").Scene} Scene
 * @typedef {import("./strip-types.js").StripData} StripData
 * @typedef {import("./strip-types.js").StripView} StripView
 * @typedef {import("./strip-rows.js").Brush} Brush
 */

/**
 * The carried value: an arrow from each cell to the next, broken where the state is reset.
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 */
export function paintForward(brush, scene, data) {
  const { ctx, em } = brush;
  const y = (ROWS.cellTop + ROWS.cellHeight / 2) * em;
  ctx.strokeStyle = colour("value");
  ctx.lineWidth = 0.13 * em;
  for (let i = 1; i < scene.blocks.length; i++) {
    const from = scene.blocks[i - 1].x + scene.blocks[i - 1].width;
    const to = scene.blocks[i].x;
    if (someReset(data, scene.blocks[i - 1].from, scene.blocks[i].from)) paintBreak(brush, from, to, y);
    else paintArrow(brush, from, to, y);
  }
}

/**
 * @param {StripData} data
 * @param {number} after
 * @param {number} to
 */
function someReset({ reset }, after, to) {
  for (let t = after + 1; t <= to; t++) if (reset[t]) return true;
  return false;
}

/**
 * @param {Brush} brush
 * @param {number} from
 * @param {number} to
 * @param {number} y
 */
function paintArrow({ ctx, em }, from, to, y) {
  const head = to - from > 0.6 * em ? 0.3 * em : 0; // in a narrow gap a head would cover the symbols
  const tip = to - 0.06 * em;
  ctx.beginPath();
  ctx.moveTo(from + 0.06 * em, y);
  ctx.lineTo(tip, y);
  if (head) {
    ctx.moveTo(tip - head, y - head);
    ctx.lineTo(tip, y);
    ctx.lineTo(tip - head, y + head);
  }
  ctx.stroke();
}

/**
 * The state is reset: the line from the left ends at two strokes, and a ring starts anew.
 * @param {Brush} brush
 * @param {number} from
 * @param {number} to
 * @param {number} y
 */
function paintBreak(brush, from, to, y) {
  const { ctx, em } = brush;
  const wide = to - from > 1.1 * em;
  const middle = wide ? from + 0.45 * em : (from + to) / 2;
  const reach = Math.min(0.15 * em, (to - from) / 4);
  ctx.strokeStyle = colour("ink");
  ctx.beginPath();
  for (const shift of [-0.9 * reach, 0.9 * reach]) {
    ctx.moveTo(middle + shift - reach, y + 0.55 * em);
    ctx.lineTo(middle + shift + reach, y - 0.55 * em);
  }
  ctx.stroke();
  ctx.strokeStyle = colour("value");
  if (!wide) return;
  const start = to - 0.42 * em;
  ctx.beginPath();
  ctx.moveTo(from + 0.06 * em, y);
  ctx.lineTo(middle - 0.25 * em, y);
  ctx.moveTo(start + 0.15 * em, y);
  ctx.arc(start, y, 0.15 * em, 0, 2 * Math.PI);
  ctx.moveTo(start + 0.15 * em, y);
  ctx.lineTo(to - 0.06 * em, y);
  ctx.stroke();
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 * @param {StripView} view
 * @param {boolean} truncated
 */
export function paintCells(brush, scene, data, view, truncated) {
  const { ctx, em } = brush;
  const kept = truncated ? "truncated" : "full";
  letters(brush, Math.min(1, Math.max(0.78, scene.cell / em * 0.9)));
  for (const block of scene.blocks) {
    const reached = block.kept > 0;
    ctx.fillStyle = colour(reached ? `${kept}-soft` : "surface");
    ctx.strokeStyle = colour(block.picked ? "ink" : reached ? kept : "rule-strong");
    ctx.lineWidth = (block.picked ? 0.19 : 0.09) * em;
    const stack = block.to > block.from ? 0.16 * em : 0;
    if (stack) cellPath(ctx, block.x + stack, ROWS.cellTop * em - stack, block.width, ROWS.cellHeight * em, 0.25 * em);
    cellPath(ctx, block.x, ROWS.cellTop * em, block.width, ROWS.cellHeight * em, 0.25 * em);
    if (block.to > block.from) continue;
    ctx.fillStyle = colour("ink");
    symbol(brush, data.inputs[block.from], block.middle, (ROWS.cellTop + ROWS.cellHeight / 2) * em, scene.pitch);
    ctx.fillStyle = colour("ink-soft");
    symbol(brush, data.targets[block.from], block.middle, ROWS.target * em, scene.pitch);
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number} radius
 */
function cellPath(ctx, x, y, width, height, radius) {
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, radius);
  ctx.fill();
  ctx.stroke();
}

/**
 * Draws a label where it fits, a single sign if need be made narrow; a longer one is cut short, or left to the readout below the strip.
 * @param {Brush} brush
 * @param {string} label
 * @param {number} x
 * @param {number} y
 * @param {number} width
 */
function symbol({ ctx, em }, label, x, y, width) {
  const text = visible(label);
  if (text.length === 1 || ctx.measureText(text).width <= width - 0.1 * em) ctx.fillText(text, x, y, width - 0.2 * em);
  else if (width > 2.2 * em) ctx.fillText(`${text.slice(0, Math.floor(width / (0.65 * em)))}\u2026`, x, y);
  else ctx.fillRect(x - 0.1 * em, y - 0.1 * em, 0.2 * em, 0.2 * em);
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripView} view
 * @param {boolean} truncated
 */
export function paintLosses(brush, scene, view, truncated) {
  const { ctx, em } = brush;
  const y = ROWS.loss * em;
  for (const block of scene.blocks) {
    if (!block.loss) continue;
    ctx.fillStyle = colour(block.picked ? "ink" : "rule-strong");
    ctx.beginPath();
    ctx.arc(block.middle, y, (block.picked ? 0.34 : 0.17) * em, 0, 2 * Math.PI);
    ctx.fill();
  }
  const picked = blockAt(scene.blocks, view.s);
  if (!picked) return;
  ctx.strokeStyle = colour(truncated ? "truncated" : "full");
  ctx.lineWidth = 0.2 * em;
  ctx.beginPath();
  ctx.moveTo(picked.middle, y + 0.4 * em);
  ctx.lineTo(picked.middle, ROWS.cellTop * em - 0.1 * em);
  ctx.stroke();
}
