/** Draws the strip's scene on a canvas: a pure function of (scene, data, view) and the colours. */

import { paintCells, paintForward, paintLosses } from "./strip-cells.js";
import { paintCuts } from "./strip-cuts.js";
import { paintFlow } from "./strip-flow.js";
import { paintBands, paintGroup, paintNames, paintRail, paintTicks } from "./strip-frame.js";

/**
 * @param {import("./strip-rows.js").Brush} brush
 * @param {import("./strip-types.js").Scene} scene
 * @param {import("./strip-types.js").StripData} data
 * @param {import("./strip-types.js").StripView} view
 * @param {boolean} truncated whether the gradient shown is a truncated one
 */
export function paintStrip(brush, scene, data, view, truncated) {
  const { ctx } = brush;
  Object.assign(ctx, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineCap: "round" });
  paintBands(brush, scene, data, view);
  paintNames(brush, scene);
  paintGroup(brush, scene);
  paintForward(brush, scene, data);
  paintCells(brush, scene, data, view, truncated);
  paintLosses(brush, scene, view, truncated);
  paintFlow(brush, scene, data, view, truncated);
  paintCuts(brush, scene);
  paintTicks(brush, scene);
  paintRail(brush, scene, view, data.steps);
}
