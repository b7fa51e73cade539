/** A long sequence at a glance, on a canvas: a column is a bin of steps. Pure functions of (overview, size, range). */

import { level } from "../lib/scales.js";
import { colour } from "./palette.js";

/**
 * @typedef {any} Overview the answer of `/api/v1/long`
 * @typedef {{width: number, em: number}} Size
 * @typedef {{left: number, right: number}} Span
 */

export const HEIGHT = 15; // em
const ROWS = { norms: [1.2, 5.6], credit: [7.4, 4], cuts: [12, 0.6], ticks: 13.9 }; // top and height
const SIDE = 0.75;

/**
 * Returns where the steps lie.
 * @param {Size} size
 * @returns {Span}
 */
export function spanOf({ width, em }) {
  return { left: SIDE * em, right: width - SIDE * em };
}

/**
 * Returns the horizontal place of a step's left edge.
 * @param {number} step
 * @param {number} steps
 * @param {Span} span
 */
export function placeOf(step, steps, { left, right }) {
  return left + ((right - left) * step) / steps;
}

/**
 * Returns the step at a place.
 * @param {number} x
 * @param {number} steps
 * @param {Span} span
 */
export function stepAt(x, steps, { left, right }) {
  return Math.min(steps - 1, Math.max(0, Math.floor(((x - left) / (right - left)) * steps)));
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Overview} found
 * @param {Size} size
 * @param {import("../lib/range.js").Range} range
 */
export function paintOverview(ctx, found, size, range) {
  const { em } = size;
  const span = spanOf(size);
  ctx.clearRect(0, 0, size.width, HEIGHT * em);
  ctx.font = `${0.78 * em}px ${getComputedStyle(document.body).fontFamily}`;
  paintCredit(ctx, found, span, em);
  paintCuts(ctx, found, span, em);
  paintLine(ctx, found, found.full.h, span, em, "full", []);
  paintLine(ctx, found, found.truncated.h, span, em, "truncated", [0.4 * em, 0.2 * em]);
  paintNames(ctx, found, span, em);
  paintRange(ctx, found, span, em, range);
}

/**
 * The largest norm of each bin, on the page's one scale.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Overview} found
 * @param {{high: ArrayLike<number>}} band
 * @param {Span} span
 * @param {number} em
 * @param {string} name
 * @param {number[]} dash
 */
function paintLine(ctx, found, { high }, span, em, name, dash) {
  const [top, height] = ROWS.norms;
  ctx.beginPath();
  for (let i = 0; i < high.length; i++) {
    const x = placeOf(Math.min(found.steps, (i + 0.5) * found.bin), found.steps, span);
    const y = (top + height * (1 - (Number.isNaN(high[i]) ? 1 : level(high[i])))) * em;
    if (i) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
  }
  Object.assign(ctx, { strokeStyle: colour(name), lineWidth: 0.13 * em });
  ctx.setLineDash(dash);
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * A column a bin, a row a lag, lag 0 on top.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Overview} found
 * @param {Span} span
 * @param {number} em
 */
function paintCredit(ctx, found, span, em) {
  const [top, height] = ROWS.credit;
  const { h, band } = found.credit;
  for (let i = 0; i < h.length; i++) {
    const left = placeOf(i * found.bin, found.steps, span);
    const width = placeOf(Math.min(found.steps, (i + 1) * found.bin), found.steps, span) - left;
    for (let lag = 0; lag < band; lag++) {
      const value = h[i][lag];
      if (Number.isNaN(value)) continue;
      ctx.fillStyle = value === 0 ? colour("sunken") : colour(`credit-${Math.round(5 * level(value))}`);
      ctx.fillRect(left, (top + (height * lag) / band) * em, width + 0.4, (height / band) * em + 0.4);
    }
  }
}

/**
 * How many edges of a bin are cut.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Overview} found
 * @param {Span} span
 * @param {number} em
 */
function paintCuts(ctx, found, span, em) {
  const [top, height] = ROWS.cuts;
  ctx.fillStyle = colour("sunken");
  ctx.fillRect(span.left, top * em, span.right - span.left, height * em);
  ctx.fillStyle = colour("truncated");
  for (let i = 0; i < found.plan.cuts.length; i++) {
    const share = found.plan.cuts[i] / found.bin;
    if (share === 0) continue;
    const left = placeOf(i * found.bin, found.steps, span);
    const width = placeOf(Math.min(found.steps, (i + 1) * found.bin), found.steps, span) - left;
    ctx.globalAlpha = 0.35 + 0.65 * share;
    ctx.fillRect(left, top * em, Math.max(1, width), height * em);
  }
  ctx.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Overview} found
 * @param {Span} span
 * @param {number} em
 */
function paintNames(ctx, found, span, em) {
  ctx.fillStyle = colour("ink-soft");
  Object.assign(ctx, { textAlign: "left", textBaseline: "bottom" });
  ctx.fillText("largest gradient norm: full solid, truncated dashed", span.left, ROWS.norms[0] * em);
  ctx.fillText(`credit over lags 0 to ${found.credit.band - 1}, downwards`, span.left, (ROWS.credit[0] - 0.1) * em);
  ctx.textBaseline = "middle";
  ctx.fillText("cut edges", span.left, (ROWS.cuts[0] + 1.1) * em);
  ctx.textAlign = "right";
  ctx.fillText(`step ${found.steps - 1}`, span.right, ROWS.ticks * em);
  ctx.textAlign = "left";
  ctx.fillText("step 0", span.left, ROWS.ticks * em);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Overview} found
 * @param {Span} span
 * @param {number} em
 * @param {import("../lib/range.js").Range} range
 */
function paintRange(ctx, found, span, em, range) {
  const left = placeOf(range.from, found.steps, span);
  const width = Math.max(0.35 * em, placeOf(range.to, found.steps, span) - left);
  Object.assign(ctx, { strokeStyle: colour("ink"), lineWidth: 0.14 * em, fillStyle: colour("ink") });
  ctx.globalAlpha = 0.12;
  ctx.fillRect(left, 0.2 * em, width, 12.6 * em);
  ctx.globalAlpha = 1;
  ctx.strokeRect(left, 0.2 * em, width, 12.6 * em);
}
