/** Draws the strip's scene on a canvas: a pure function of (scene, data, view, size) and the colours. */

import { blockAt } from "./strip-layout.js";
import { colour } from "./palette.js";
import { kindOf, level, thickness } from "../lib/scales.js";
import { visible } from "../lib/format.js";

/**
 * @typedef {import("./strip-layout.js").Scene} Scene
 * @typedef {import("./strip-layout.js").StripData} StripData
 * @typedef {import("./strip-layout.js").StripView} StripView
 * @typedef {import("./strip-layout.js").Block} Block
 * @typedef {{ctx: CanvasRenderingContext2D, em: number, font: string}} Brush
 */

/** The rows' vertical places, in em. */
export const ROWS = { band: 1.0, target: 2.8, loss: 4.4, cellTop: 5.5, cellHeight: 2.8, lane: 11.6, tick: 15.1, height: 16 };
export const LANE = 4.6; // em: the thickest arrow
export const HAIR = 0.12;

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 * @param {StripView} view
 * @param {boolean} truncated whether the gradient shown is a truncated one
 */
export function paintStrip(brush, scene, data, view, truncated) {
  const { ctx } = brush;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.lineCap = "round";
  paintBands(brush, scene, data);
  paintNames(brush, scene);
  paintForward(brush, scene, data);
  paintCells(brush, scene, data, view, truncated);
  paintLosses(brush, scene, view, truncated);
  paintFlow(brush, scene, data, view, truncated);
  for (const edge of scene.edges) paintEdge(brush, edge);
  paintTicks(brush, scene);
}

/**
 * @param {Brush} brush
 * @param {number} size in em
 * @param {string} [weight]
 */
function letters({ ctx, em, font }, size, weight = "") {
  ctx.font = `${weight} ${size * em}px ${font}`;
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 */
function paintBands(brush, scene, data) {
  if (data.starts.length < 2) return;
  const { ctx, em } = brush;
  letters(brush, 0.86);
  for (const band of scene.bands) {
    ctx.fillStyle = colour(band.index % 2 ? "sunken" : "grid");
    ctx.beginPath();
    ctx.roundRect(band.x, 0.05 * em, band.width, (ROWS.lane + LANE / 2 + 0.1) * em, 0.4 * em);
    ctx.fill();
    const text = `window ${band.index + 1}`;
    const label = ctx.measureText(text).width + em < band.width ? text : String(band.index + 1);
    ctx.fillStyle = colour("ink-soft");
    if (ctx.measureText(label).width < band.width) ctx.fillText(label, band.x + band.width / 2, ROWS.band * em);
  }
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 */
function paintNames(brush, scene) {
  const { ctx, em } = brush;
  if (scene.left < 4 * em) return;
  letters(brush, 0.86);
  ctx.textAlign = "right";
  const x = scene.left - 0.7 * em;
  const rows = /** @type {[string, number, string][]} */ ([["target", ROWS.target, "ink-soft"], ["loss", ROWS.loss, "ink-soft"],
    ["value \u2192", ROWS.cellTop + ROWS.cellHeight / 2, "value"], ["\u2190 gradient", ROWS.lane, "ink"], ["step", ROWS.tick, "ink-soft"]]);
  for (const [text, y, token] of rows) {
    ctx.fillStyle = colour(token);
    ctx.fillText(text, x, y * em);
  }
  ctx.textAlign = "center";
}

/**
 * The carried value: an arrow from each cell to the next, broken where the state is reset.
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 */
function paintForward(brush, scene, data) {
  const { ctx, em } = brush;
  const y = (ROWS.cellTop + ROWS.cellHeight / 2) * em;
  ctx.strokeStyle = colour("value");
  ctx.lineWidth = 0.13 * em;
  for (let i = 1; i < scene.blocks.length; i++) {
    const from = scene.blocks[i - 1].x + scene.blocks[i - 1].width;
    const to = scene.blocks[i].x;
    if (data.reset[scene.blocks[i].from]) paintBreak(brush, from, to, y);
    else paintArrow(brush, from, to, y);
  }
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
 * @param {Brush} brush
 * @param {number} from
 * @param {number} to
 * @param {number} y
 */
function paintBreak({ ctx, em }, from, to, y) {
  const middle = (from + to) / 2;
  const reach = Math.min(0.2 * em, (to - from) / 3);
  ctx.strokeStyle = colour("ink");
  ctx.beginPath();
  for (const shift of [-0.7 * reach, 0.7 * reach]) {
    ctx.moveTo(middle + shift - reach, y + 0.5 * em);
    ctx.lineTo(middle + shift + reach, y - 0.5 * em);
  }
  ctx.stroke();
  ctx.strokeStyle = colour("value");
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 * @param {StripView} view
 * @param {boolean} truncated
 */
function paintCells(brush, scene, data, view, truncated) {
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
 * Draws a label where it fits; a longer one is cut short, or left to the readout below the strip.
 * @param {Brush} brush
 * @param {string} label
 * @param {number} x
 * @param {number} y
 * @param {number} width
 */
function symbol({ ctx, em }, label, x, y, width) {
  const text = visible(label);
  if (ctx.measureText(text).width <= width - 0.1 * em) ctx.fillText(text, x, y);
  else if (width > 2.2 * em) ctx.fillText(`${text.slice(0, Math.floor(width / (0.65 * em)))}\u2026`, x, y);
  else ctx.fillRect(x - 0.1 * em, y - 0.1 * em, 0.2 * em, 0.2 * em);
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripView} view
 * @param {boolean} truncated
 */
function paintLosses(brush, scene, view, truncated) {
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

/**
 * The backward pass of the picked loss: a chain of arrows, as thick as the gradient that arrives.
 * What the truncation keeps out is a ghost: the dashed outline of full BPTT's arrow.
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 * @param {StripView} view
 * @param {boolean} truncated
 */
function paintFlow(brush, scene, data, view, truncated) {
  const { ctx, em } = brush;
  const kept = truncated ? "truncated" : "full";
  const last = blockAt(scene.blocks, view.s);
  if (last && data.row) {
    ctx.strokeStyle = colour(kept);
    ctx.globalAlpha = strength(data.row[view.s]);
    ctx.lineWidth = Math.min(scene.cell, width(data.row[view.s], em));
    ctx.lineCap = "butt";
    ctx.beginPath();
    ctx.moveTo(last.middle, (ROWS.cellTop + ROWS.cellHeight) * em + 0.05 * em);
    ctx.lineTo(last.middle, ROWS.lane * em + width(data.row[view.s], em) / 2);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.lineCap = "round";
  }
  for (let i = scene.blocks.length - 1; i >= 0; i--) {
    const block = scene.blocks[i];
    const right = scene.blocks[i + 1];
    if (!right && block.to >= view.s) continue;
    const start = right ? right.middle : scene.right;
    if (block.from > view.s || (right && right.from > view.s)) continue;
    if (!Number.isNaN(block.lost) && !(block.kept > 0)) paintGhost(brush, block, start, block.lost);
    if (!Number.isNaN(block.kept) && block.from < view.s && block !== last) paintSolid(brush, block, start, block.kept, kept);
  }
}

/**
 * @param {number} norm
 * @param {number} em
 */
function width(norm, em) {
  return thickness(norm, HAIR * em, LANE * em);
}

/** @param {number} norm */
function strength(norm) {
  return 0.35 + 0.65 * level(norm);
}

/**
 * @param {Brush} brush
 * @param {Block} block
 * @param {number} start
 * @param {number} norm
 * @param {string} token
 */
function paintSolid(brush, block, start, norm, token) {
  const { ctx, em } = brush;
  const kind = kindOf(norm);
  if (kind === "zero") return paintZero(brush, block);
  ctx.fillStyle = ctx.strokeStyle = colour(kind === "infinite" || kind === "nan" ? "over" : token);
  ctx.lineWidth = 0.08 * em;
  ctx.globalAlpha = strength(norm);
  if (kind === "below") ctx.setLineDash([0.1 * em, 0.22 * em]);
  chevron(ctx, block.middle, start, ROWS.lane * em, Math.max(width(norm, em), HAIR * em), em);
  if (kind === "below") ctx.stroke();
  else ctx.fill();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  if (kind === "infinite" || kind === "nan") paintInfinite(brush, block, kind);
}

/**
 * @param {Brush} brush
 * @param {Block} block
 * @param {number} start
 * @param {number} norm
 */
function paintGhost(brush, block, start, norm) {
  const { ctx, em } = brush;
  const kind = kindOf(norm);
  if (kind === "zero") return paintZero(brush, block);
  ctx.strokeStyle = colour(kind === "infinite" || kind === "nan" ? "over" : "full");
  ctx.fillStyle = colour("full-soft");
  ctx.lineWidth = 0.07 * em;
  ctx.setLineDash(kind === "below" ? [0.1 * em, 0.22 * em] : [0.22 * em, 0.16 * em]);
  chevron(ctx, block.middle, start, ROWS.lane * em, Math.max(width(norm, em), HAIR * em), em);
  ctx.globalAlpha = 0.55;
  ctx.fill();
  ctx.globalAlpha = 0.8;
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
}

/**
 * A block arrow from `start` back to `tip`, with a notch into which the next one fits.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} tip
 * @param {number} start
 * @param {number} y
 * @param {number} thick
 * @param {number} em
 */
function chevron(ctx, tip, start, y, thick, em) {
  const half = thick / 2;
  const slack = 0.1 * em;
  const nose = Math.min(Math.max(half, 0.22 * em), (start - tip) * 0.42);
  const left = tip + slack;
  const right = start - slack + nose * 0.999;
  ctx.beginPath();
  ctx.moveTo(left, y);
  ctx.lineTo(left + nose, y - half);
  ctx.lineTo(right, y - half);
  ctx.lineTo(right - nose, y);
  ctx.lineTo(right, y + half);
  ctx.lineTo(left + nose, y + half);
  ctx.closePath();
}

/**
 * @param {Brush} brush
 * @param {Block} block
 */
function paintZero({ ctx, em }, block) {
  ctx.strokeStyle = colour("rule-strong");
  ctx.lineWidth = 0.08 * em;
  ctx.beginPath();
  ctx.arc(block.middle, ROWS.lane * em, 0.16 * em, 0, 2 * Math.PI);
  ctx.stroke();
}

/**
 * @param {Brush} brush
 * @param {Block} block
 * @param {"infinite" | "nan"} kind
 */
function paintInfinite(brush, block, kind) {
  letters(brush, 0.9, "bold");
  brush.ctx.fillStyle = colour("surface");
  brush.ctx.fillText(kind === "nan" ? "?" : "\u221e", block.middle + block.width * 0.6, ROWS.lane * brush.em);
}

/**
 * @param {Brush} brush
 * @param {import("./strip-layout.js").Edge} edge
 */
function paintEdge(brush, edge) {
  if (!edge.cut) return;
  const { ctx, em } = brush;
  const y = ROWS.lane * em;
  ctx.strokeStyle = colour("ink");
  ctx.lineWidth = 0.09 * em;
  ctx.setLineDash([0.3 * em, 0.25 * em]);
  ctx.beginPath();
  ctx.moveTo(edge.x, (ROWS.cellTop + ROWS.cellHeight + 0.3) * em);
  ctx.lineTo(edge.x, y + (LANE / 2 + 0.1) * em);
  ctx.stroke();
  ctx.setLineDash([]);
  paintScissors(brush, edge.x, y);
  if (edge.count < 2) return;
  letters(brush, 0.78);
  ctx.fillStyle = colour("ink");
  ctx.fillText(`${edge.count}\u00d7`, edge.x, y + 1.15 * em);
}

/**
 * Scissors that point up, their blades about the edge.
 * @param {Brush} brush
 * @param {number} x
 * @param {number} y
 */
function paintScissors({ ctx, em }, x, y) {
  ctx.fillStyle = colour("surface");
  ctx.beginPath();
  ctx.arc(x, y, 0.68 * em, 0, 2 * Math.PI);
  ctx.fill();
  ctx.lineWidth = 0.13 * em;
  ctx.strokeStyle = colour("ink");
  ctx.beginPath();
  for (const side of [-1, 1]) {
    ctx.moveTo(x + side * 0.16 * em, y + 0.2 * em);
    ctx.lineTo(x - side * 0.22 * em, y - 0.52 * em);
    ctx.moveTo(x + side * 0.45 * em, y + 0.34 * em);
    ctx.arc(x + side * 0.25 * em, y + 0.34 * em, 0.2 * em, 0, 2 * Math.PI);
  }
  ctx.stroke();
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 */
function paintTicks(brush, scene) {
  letters(brush, 0.86);
  brush.ctx.fillStyle = colour("ink-soft");
  for (const tick of scene.ticks) brush.ctx.fillText(String(tick.step), tick.x, ROWS.tick * brush.em);
}
