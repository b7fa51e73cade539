/**
 * Rewrites what Plotly drew, in place, for a figure that differs from the drawn one in its numbers and its scales alone.
 * Plotly's own redraw of one chart takes 5 to 25 ms, most of it on what has not changed.
 */

import { setAttribute } from "../lib/dom.js";
import { clearTicks, drawTicks, writtenOut } from "./live-ticks.js";

/** @typedef {import("./plotly-host.js").Figure} Figure */

/**
 * Returns whether two figures differ in nothing but the numbers of their traces, and what those are held against where
 * that is written out: the range and the ticks of an axis, a heatmap's scale where its ticks stay in their places.
 * @param {Figure} a
 * @param {Figure} b
 */
export function sameFrame(a, b) {
  return same(frameOf(a), frameOf(b), "");
}

/**
 * Returns a figure without what can be rewritten. The axes of heatmaps stay: their cells stand where Plotly has its axes.
 * @param {Figure} figure
 */
function frameOf({ data, layout }) {
  if (data.some(({ type }) => type === "heatmap")) return { data: data.map(withoutScale), layout };
  const axes = Object.entries(layout).map(([name, part]) => [name, part?.range && writtenOut(part) ? withoutTicks(part) : part]);
  return { data, layout: Object.fromEntries(axes) };
}

/** @param {any} axis */
function withoutTicks({ range, tickvals, ticktext, ...rest }) {
  return rest;
}

/** @param {any} trace */
function withoutScale(trace) {
  const { zmin, zmax, colorbar, ...rest } = trace;
  if (trace.type !== "heatmap" || (trace.showscale ?? true) !== writtenOut(colorbar)) return trace;
  const shares = colorbar?.tickvals.map((/** @type {number} */ value) => Math.round(((value - zmin) / (zmax - zmin)) * 1e6));
  return { ...rest, colorbar: colorbar && { ...withoutTicks(colorbar), shares } };
}

/**
 * @param {any} a
 * @param {any} b
 * @param {string} key under which they stand
 * @returns {boolean}
 */
function same(a, b, key) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (key === "x" || key === "y" || key === "z") return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((name) => name in b && same(a[name], b[name], name));
}

/**
 * Writes the figure's lines into the nodes that Plotly made for an earlier one, and ticks where they have changed.
 * @param {HTMLElement} element
 * @param {Figure} before the one that is seen
 * @param {Figure} figure
 */
export function drawLive(element, before, figure) {
  drawTicks(element, before, figure);
  const scale = (/** @type {"x" | "y"} */ letter, /** @type {string | undefined} */ name) => scaleOf(element, figure, letter, name);
  for (const trace of figure.data) {
    if (trace.type !== "scatter") continue;
    const path = linePath(trace.x, trace.y, scale("x", trace.xaxis), scale("y", trace.yaxis));
    const { lines, fill } = nodesOf(element, trace.uid);
    lines.forEach((line, i) => setAttribute(line, "d", i === 0 ? path : "M0,0"));
    if (fill && trace.fill === "toself") setAttribute(fill, "d", `${path}Z`);
  }
}

/**
 * Gives everything back to Plotly, before it draws.
 * @param {HTMLElement} element
 */
export function release(element) {
  clearTicks(element);
  made.delete(element);
}

/** @typedef {{lines: Element[], fill: Element | null}} Nodes */

/** What Plotly made, by the picture and the trace; looked for once. @type {WeakMap<HTMLElement, Map<string, Nodes>>} */
const made = new WeakMap();

/**
 * @param {HTMLElement} element
 * @param {string} uid
 * @returns {Nodes}
 */
function nodesOf(element, uid) {
  const known = made.get(element) ?? new Map();
  made.set(element, known);
  if (!known.has(uid)) {
    const group = element.querySelector(`.scatterlayer .trace${CSS.escape(uid)}`);
    known.set(uid, { lines: [...group?.querySelectorAll("path.js-line") ?? []], fill: group?.querySelector("path.js-fill") ?? null });
  }
  return known.get(uid);
}

/**
 * Returns whether Plotly left a node for every line (a line without a single point has none).
 * @param {HTMLElement} element
 * @param {Figure} figure
 */
export function hasNodes(element, figure) {
  return figure.data.every((trace) => trace.type !== "scatter" ||
    nodesOf(element, trace.uid).lines.length > 0 || !trace.y.some(Number.isFinite));
}

/**
 * Returns a linear map from values to pixels of the plot, over the range of the figure's axis or else of Plotly's.
 * @param {HTMLElement} element
 * @param {Figure} figure
 * @param {"x" | "y"} letter
 * @param {string | undefined} name such as "x2"
 */
function scaleOf(element, { layout }, letter, name) {
  const key = `${letter}axis${(name ?? letter).slice(1)}`;
  const axis = /** @type {any} */ (element)._fullLayout[key];
  const [low, high] = layout[key]?.range ?? axis.range;
  const length = axis._length;
  const log = axis.type === "log";
  return (/** @type {number} */ value) => {
    const share = ((log ? Math.log10(value) : value) - low) / (high - low);
    return Math.round((letter === "x" ? share : 1 - share) * length * 100) / 100;
  };
}

/**
 * Returns the path of a line; where a value is not a number, it is broken.
 * @param {ArrayLike<number>} xs
 * @param {ArrayLike<number>} ys
 * @param {(value: number) => number} toX
 * @param {(value: number) => number} toY
 */
export function linePath(xs, ys, toX, toY) {
  let path = "";
  let pen = "M";
  for (let i = 0; i < ys.length; i++) {
    const x = toX(xs[i]);
    const y = toY(ys[i]);
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = "M";
      continue;
    }
    path += `${pen}${x},${y}`;
    pen = "L";
  }
  return path || "M0,0";
}
