/** What stands around the strip's cells: windows, the rows' names, step numbers, and what part is in sight. */

import { niceStep } from "../lib/scales.js";
import { colour } from "./palette.js";
import { LANE, ROWS, letters } from "./strip-rows.js";

/**
 * @typedef {import("./strip-types.js").Scene} Scene
 * @typedef {import("./strip-types.js").StripData} StripData
 * @typedef {import("./strip-types.js").StripView} StripView
 * @typedef {import("./strip-rows.js").Brush} Brush
 */

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 * @param {StripView} view
 */
export function paintBands(brush, scene, data, view) {
  const { ctx, em } = brush;
  letters(brush, 0.86);
  if (scene.across) return paintMany(brush, scene, data, view);
  if (data.starts.length < 2) return;
  for (const band of scene.bands) {
    ctx.fillStyle = colour(band.index % 2 ? "sunken" : "grid");
    ctx.beginPath();
    ctx.roundRect(band.x, 0.05 * em, band.width, (ROWS.lane + LANE / 2 + 0.1) * em, 0.4 * em);
    ctx.fill();
  }
  ctx.fillStyle = colour("ink-soft");
  for (const { text, x } of bandLabels(scene.bands, data, em, (label) => ctx.measureText(label).width)) ctx.fillText(text, x, ROWS.band * em);
}

/**
 * Windows that are narrower than a block are counted, not drawn.
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripData} data
 * @param {StripView} view
 */
function paintMany({ ctx, em }, scene, data, view) {
  const count = Array.from(data.starts).filter((t) => t >= view.from && t < view.to).length;
  if (count < 2) return;
  ctx.fillStyle = colour("ink-soft");
  ctx.fillText(`${count} ${data.noun}s${scene.group > 1 ? ": zoom in to see each" : ""}`, (scene.left + scene.right) / 2, ROWS.band * em);
}

/**
 * Returns what is written over the windows: their names where each has room for its own, else
 * the numbers of every second, fifth ... window. In a close-up no window is counted: each has the noun alone.
 * @param {import("./strip-types.js").Band[]} bands
 * @param {{noun: string, note: string, first?: number}} data
 * @param {number} em
 * @param {(text: string) => number} widthOf
 * @returns {{text: string, x: number}[]}
 */
export function bandLabels(bands, { noun, note, first = 0 }, em, widthOf) {
  const narrowest = Math.min(...bands.map((band) => band.width));
  const every = niceStep((widthOf(String((bands.at(-1)?.index ?? 0) + 1)) + 0.5 * em) / narrowest);
  const labels = [];
  let free = -Infinity;
  for (const { x, width, index } of bands) {
    const number = first > 0 ? noun : String(index + 1);
    const name = first > 0 ? noun : `${noun} ${number}`;
    const names = [`${name}${note && `, ${note}`}`, name];
    const text = names.find((name) => widthOf(name) + em < width) ?? number;
    const left = x + (width - widthOf(text)) / 2;
    if ((text === number && width < widthOf(number) + 0.5 * em && index % every !== 0) || left < free) continue;
    free = left + widthOf(text) + 0.5 * em;
    labels.push({ text, x: x + width / 2 });
  }
  return labels;
}

/**
 * Where steps share a block, says how many, in the row that a single step's target would have.
 * @param {Brush} brush
 * @param {Scene} scene
 */
export function paintGroup(brush, { group, left, right }) {
  if (group < 2) return;
  const { ctx, em } = brush;
  letters(brush, 0.86);
  ctx.fillStyle = colour("ink-soft");
  ctx.fillText(`one box is up to ${group} steps`, (left + right) / 2, ROWS.target * em);
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 */
export function paintNames(brush, scene) {
  const { ctx, em } = brush;
  if (scene.left < 4 * em) return;
  letters(brush, 0.86);
  ctx.textAlign = "right";
  const x = scene.left - 0.7 * em;
  const rows = /** @type {[string, number, string][]} */ ([[scene.group > 1 ? "" : "target", ROWS.target, "ink-soft"], ["loss", ROWS.loss, "ink-soft"],
    ["value \u2192", ROWS.cellTop + ROWS.cellHeight / 2, "value"], ["\u2190 gradient", ROWS.lane, "ink"], ["step", ROWS.tick, "ink-soft"]]);
  for (const [text, y, token] of rows) {
    ctx.fillStyle = colour(token);
    ctx.fillText(text, x, y * em);
  }
  ctx.textAlign = "center";
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 */
export function paintTicks(brush, scene) {
  letters(brush, 0.86);
  brush.ctx.fillStyle = colour("ink-soft");
  for (const tick of scene.ticks) brush.ctx.fillText(String(tick.step), tick.x, ROWS.tick * brush.em);
}

/**
 * Where not all steps are in sight, a rail shows which are.
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {StripView} view
 * @param {number} steps
 */
export function paintRail({ ctx, em }, { left, right }, { from, to }, steps) {
  if (to - from >= steps) return;
  const perStep = (right - left) / steps;
  const least = 1.2 * em;
  const thumb = Math.max(least, (to - from) * perStep);
  const start = left + ((right - left - thumb) * from) / (steps - (to - from));
  for (const [token, x, width] of /** @type {[string, number, number][]} */ ([["rule", left, right - left], ["rule-strong", start, thumb]])) {
    ctx.fillStyle = colour(token);
    ctx.beginPath();
    ctx.roundRect(x, (ROWS.rail - 0.15) * em, width, 0.3 * em, 0.15 * em);
    ctx.fill();
  }
}
