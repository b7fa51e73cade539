/** The strip's cuts: scissors where there is room for them, else a small mark with how many it stands for. */

import { colour } from "./palette.js";
import { LANE, ROWS, letters } from "./strip-rows.js";

/**
 * @typedef {import("./strip-rows.js").Brush} Brush
 * @typedef {import("./strip-types.js").Edge} Edge
 */

/**
 * @param {Brush} brush
 * @param {import("./strip-types.js").Scene} scene
 */
export function paintCuts(brush, { edges, pitch }) {
  for (const edge of edges) {
    if (!edge.cut) continue;
    if (edge.large) paintCut(brush, edge);
    else if (edge.between) paintLine(brush, edge.x);
    else paintMark(brush, edge, pitch);
  }
}

/**
 * @param {Brush} brush
 * @param {Edge} edge
 */
function paintCut(brush, edge) {
  paintLine(brush, edge.x);
  paintScissors(brush, edge.x, ROWS.lane * brush.em);
}

/**
 * @param {Brush} brush
 * @param {number} x
 */
function paintLine({ ctx, em }, x) {
  ctx.strokeStyle = colour("ink");
  ctx.lineWidth = 0.09 * em;
  ctx.setLineDash([0.3 * em, 0.25 * em]);
  ctx.beginPath();
  ctx.moveTo(x, (ROWS.cellTop + ROWS.cellHeight + 0.3) * em);
  ctx.lineTo(x, (ROWS.lane + LANE / 2 + 0.1) * em);
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * A block that hides cuts has a tick under it, and their number where that has room.
 * @param {Brush} brush
 * @param {Edge} edge
 * @param {number} pitch
 */
function paintMark(brush, { left, right, count }, pitch) {
  const { ctx, em } = brush;
  const x = (left + right) / 2;
  const bottom = (ROWS.lane + LANE / 2) * em;
  ctx.strokeStyle = ctx.fillStyle = colour("ink");
  ctx.lineWidth = 0.12 * em;
  ctx.beginPath();
  ctx.moveTo(x, bottom - 0.7 * em);
  ctx.lineTo(x, bottom - 0.1 * em);
  ctx.stroke();
  letters(brush, 0.72);
  const text = String(count);
  if (count > 1 && ctx.measureText(text).width + 0.4 * em < pitch) ctx.fillText(text, x, ROWS.count * em);
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
