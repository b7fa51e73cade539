/**
 * Heatmaps as one pixel a cell on a canvas behind Plotly's lines, enlarged by the browser: the
 * same at rest and in motion, and at once. Plotly's own image stays in the figure for its PNG.
 */

import { withColours } from "./palette.js";

const SHADES = 1024;

/**
 * @param {HTMLElement} element
 * @param {import("./plotly-host.js").Figure} figure
 */
export function drawHeatmaps(element, figure) {
  const layout = /** @type {any} */ (element)._fullLayout;
  for (const canvas of /** @type {NodeListOf<HTMLCanvasElement>} */ (element.querySelectorAll("canvas[data-trace]"))) {
    if (!figure.data.some((trace) => trace.uid === canvas.dataset.trace)) canvas.remove();
  }
  for (const trace of figure.data) {
    if (trace.type !== "heatmap") continue;
    const canvas = canvasFor(element, trace.uid);
    place(canvas, trace, layout[`xaxis${(trace.xaxis ?? "x").slice(1)}`], layout[`yaxis${(trace.yaxis ?? "y").slice(1)}`]);
    fill(canvas, trace);
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} uid
 */
function canvasFor(element, uid) {
  const found = element.querySelector(`canvas[data-trace="${CSS.escape(uid)}"]`);
  if (found) return /** @type {HTMLCanvasElement} */ (found);
  const canvas = document.createElement("canvas");
  canvas.dataset.trace = uid;
  element.prepend(canvas);
  return canvas;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} trace
 * @param {any} xaxis
 * @param {any} yaxis
 */
function place(canvas, trace, xaxis, yaxis) {
  const [left, right] = ends(trace.x).map((x) => xaxis._offset + xaxis.c2p(x));
  const [bottom, top] = ends(trace.y).map((y) => yaxis._offset + yaxis.c2p(y));
  const { _length: length, _offset: offset } = xaxis;
  const cut = Math.max(0, right - offset - length);
  const where = [left, top, right, bottom, cut].join(" ");
  if (canvas.dataset.where === where) return;
  canvas.dataset.where = where;
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px`,
    clipPath: cut > 0 ? `inset(0 ${cut}px 0 0)` : "" });
}

/** Of each canvas, the pixels that it was given last. @type {WeakMap<HTMLCanvasElement, ImageData>} */
const images = new WeakMap();

/**
 * Returns the outer edges of evenly spaced cells with these centres.
 * @param {ArrayLike<number>} centres
 */
function ends(centres) {
  const last = centres.length - 1;
  const half = last > 0 ? (centres[1] - centres[0]) / 2 : 0.5;
  return [centres[0] - half, centres[last] + half];
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} trace
 */
function fill(canvas, trace) {
  const rows = trace.z.length;
  const columns = rows ? trace.z[0].length : 0;
  if (columns === 0) return;
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2-D canvas");
  const last = images.get(canvas);
  const image = last && last.width === columns && last.height === rows ? last : context.createImageData(columns, rows);
  images.set(canvas, image);
  const pixels = new Uint32Array(image.data.buffer);
  const shades = shadesOf(withColours(trace.colorscale));
  const scale = (SHADES - 1) / (trace.zmax - trace.zmin);
  for (let row = 0; row < rows; row++) {
    const values = trace.z[rows - 1 - row];
    for (let column = 0; column < columns; column++) {
      const value = values[column];
      const shade = Math.min(SHADES - 1, Math.max(0, Math.round((value - trace.zmin) * scale)));
      pixels[row * columns + column] = value === value ? shades[shade] : 0;
    }
  }
  context.putImageData(image, 0, 0);
}

/** @type {Map<string, Uint32Array>} */
const known = new Map();

/**
 * Returns the colours of a Plotly colour scale as pixels.
 * @param {[number, string][]} stops
 */
function shadesOf(stops) {
  const key = JSON.stringify(stops);
  let shades = known.get(key);
  if (shades === undefined) {
    shades = Uint32Array.from({ length: SHADES }, (_, i) => pixelAt(stops, i / (SHADES - 1)));
    known.set(key, shades);
  }
  return shades;
}

/**
 * @param {[number, string][]} stops
 * @param {number} place
 */
function pixelAt(stops, place) {
  let upper = stops.findIndex(([at]) => at > place);
  if (upper < 1) upper = upper === 0 ? 1 : stops.length - 1;
  const [from, a] = stops[upper - 1];
  const [to, b] = stops[upper];
  const share = to > from ? (place - from) / (to - from) : 1;
  const [red, green, blue] = [1, 3, 5].map((i) => {
    const start = parseInt(a.slice(i, i + 2), 16);
    return Math.round(start + (parseInt(b.slice(i, i + 2), 16) - start) * Math.min(1, share));
  });
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
