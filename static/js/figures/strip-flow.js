/** The strip's lower lane: the gradient of the picked loss on its way back. */

import { kindOf, level, thickness } from "../lib/scales.js";
import { colour } from "./palette.js";
import { HAIR, LANE, ROWS, letters } from "./strip-rows.js";
import { blockAt } from "./strip-view.js";

/**
 * @typedef {import("./strip-types.js").Scene} Scene
 * @typedef {import("./strip-types.js").StripData} StripData
 * @typedef {import("./strip-types.js").StripView} StripView
 * @typedef {import("./strip-types.js").Block} Block
 * @typedef {import("./strip-rows.js").Brush} Brush
 */

/**
 * The backward pass of the picked loss: a chain of arrows, as thick as the gradient that arrives.
 * What the truncation keeps out is a ghost: the dashed outline of full BPTT's arrow.
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 * @param {StripView} view
 * @param {boolean} truncated
 */
export function paintFlow(brush, scene, data, view, truncated) {
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
    if (!Number.isNaN(block.lost) && !(block.kept > 0)) paintGhost(brush, block, start, block.lost, scene.pitch);
    if (!Number.isNaN(block.kept) && block.from < view.s && block !== last) paintSolid(brush, block, start, block.kept, kept, scene.pitch);
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
 * @param {number} pitch
 */
function paintSolid(brush, block, start, norm, token, pitch) {
  const { ctx, em } = brush;
  const kind = kindOf(norm);
  if (kind === "zero") return paintZero(brush, block);
  ctx.fillStyle = ctx.strokeStyle = colour(kind === "infinite" || kind === "nan" ? "over" : token);
  ctx.lineWidth = 0.08 * em;
  ctx.globalAlpha = strength(norm);
  if (kind === "below") ctx.setLineDash([0.1 * em, 0.22 * em]);
  chevron(ctx, block.middle, start, ROWS.lane * em, Math.max(width(norm, em), HAIR * em), { em, pitch });
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
 * @param {number} pitch
 */
function paintGhost(brush, block, start, norm, pitch) {
  const { ctx, em } = brush;
  const kind = kindOf(norm);
  if (kind === "zero") return paintZero(brush, block);
  ctx.strokeStyle = colour(kind === "infinite" || kind === "nan" ? "over" : "full");
  ctx.fillStyle = colour("full-soft");
  ctx.lineWidth = 0.07 * em;
  ctx.setLineDash(kind === "below" ? [0.1 * em, 0.22 * em] : [0.22 * em, 0.16 * em]);
  chevron(ctx, block.middle, start, ROWS.lane * em, Math.max(width(norm, em), HAIR * em), { em, pitch });
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
 * @param {{em: number, pitch: number}} size
 */
function chevron(ctx, tip, start, y, thick, { em, pitch }) {
  const half = thick / 2;
  const slack = 0.1 * em;
  const nose = Math.min(Math.max(half, 0.22 * em), pitch * 0.42);
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
