/**
 * Rewrites the lines that Plotly drew, in place, for a figure that differs from the drawn one in
 * its numbers alone. Plotly's own redraw of one chart takes 5 to 10 ms, most of it on axes and text
 * that have not changed.
 */

/** @typedef {import("./plotly-host.js").Figure} Figure */

/**
 * Returns whether two figures differ in nothing but the numbers of their traces.
 * @param {Figure} a
 * @param {Figure} b
 */
export function sameFrame(a, b) {
  return same(a, b, "");
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
 * Writes the figure's lines into the nodes that Plotly made for an earlier one.
 * @param {HTMLElement} element
 * @param {Figure} figure
 */
export function drawLive(element, figure) {
  const axes = /** @type {any} */ (element)._fullLayout;
  for (const trace of figure.data) {
    if (trace.type !== "scatter") continue;
    const path = linePath(trace.x, trace.y, scaleOf(axes, "x", trace.xaxis), scaleOf(axes, "y", trace.yaxis));
    const group = element.querySelector(`.scatterlayer .trace${CSS.escape(trace.uid)}`);
    const lines = group?.querySelectorAll("path.js-line") ?? [];
    lines.forEach((line, i) => line.setAttribute("d", i === 0 ? path : "M0,0"));
    if (trace.fill === "toself") group?.querySelector("path.js-fill")?.setAttribute("d", `${path}Z`);
  }
}

/**
 * Returns whether Plotly left a node for every line (a line without a single point has none).
 * @param {HTMLElement} element
 * @param {Figure} figure
 */
export function hasNodes(element, figure) {
  return figure.data.every((trace) => trace.type !== "scatter" ||
    !trace.y.some(Number.isFinite) || element.querySelector(`.scatterlayer .trace${CSS.escape(trace.uid)} path.js-line`) !== null);
}

/**
 * Returns a linear map from values to pixels of the plot, on an axis of a layout that Plotly has completed.
 * @param {any} layout
 * @param {"x" | "y"} letter
 * @param {string | undefined} name such as "x2"
 */
function scaleOf(layout, letter, name) {
  const axis = layout[`${letter}axis${(name ?? letter).slice(1)}`];
  const [low, high] = axis.range;
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
