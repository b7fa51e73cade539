/** The strip's rows and its brush. (leaf) */

/** @typedef {{ctx: CanvasRenderingContext2D, em: number, font: string}} Brush */

/** The rows' vertical places, in em. */
export const ROWS = { band: 1.0, target: 2.8, loss: 4.4, cellTop: 5.5, cellHeight: 2.8, lane: 11.6, count: 14.35, tick: 15.5, rail: 16.5, height: 16.7 };
export const LANE = 4.6; // em: the thickest arrow
export const HAIR = 0.12; // em: the thinnest

/**
 * Takes letters of a size.
 * @param {Brush} brush
 * @param {number} size in em
 * @param {string} [weight]
 */
export function letters({ ctx, em, font }, size, weight = "") {
  ctx.font = `${weight} ${size * em}px ${font}`;
}
