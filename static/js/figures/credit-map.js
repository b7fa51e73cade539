/** The two gradient pictures of an exhibit as SVG, and their one key. Colours come from the style sheet. */

import { make } from "../lib/dom.js";
import { SHADES, bounds, cells, ticks } from "../lib/credit-map.js";
import { number } from "../lib/format.js";

/**
 * @typedef {import("../lib/credit-map.js").Maps} Maps
 * @typedef {import("../lib/credit-map.js").Side} Side
 */

const WIDTH = 400;
const BOX = { left: 52, top: 8, width: 340, height: 340 };
const FOOT = 44;

/**
 * Returns a new SVG element.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
function draw(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Returns what a <figure> holds: caption and picture.
 * @param {Maps} maps
 * @param {Side} side
 * @returns {Element[]}
 */
export function creditMap(maps, side) {
  const bottom = BOX.top + BOX.height;
  const label = `${side.title}: ${maps.quantity}`;
  const svg = draw("svg", { class: "credit-map", viewBox: `0 0 ${WIDTH} ${bottom + FOOT}`, role: "img", "aria-label": label },
    ...cells(side.values, maps, BOX).map((path, n) => draw("path", { class: `shade-${n}`, d: path })),
    draw("path", { class: "edge", d: edges(side, BOX) }),
    draw("rect", { class: "frame", x: BOX.left, y: BOX.top, width: BOX.width, height: BOX.height }),
    ...ticks(maps.columns).map(({ at, label: text }) => draw("text", { x: BOX.left + at * BOX.width, y: bottom + 16, "text-anchor": "middle" }, text)),
    ...ticks(maps.rows).map(({ at, label: text }) => draw("text", { x: BOX.left - 6, y: bottom - at * BOX.height + 4, "text-anchor": "end" }, text)),
    draw("text", { x: BOX.left + BOX.width / 2, y: bottom + 36, "text-anchor": "middle" }, maps.column_title),
    draw("text", { transform: `translate(12 ${BOX.top + BOX.height / 2}) rotate(-90)`, "text-anchor": "middle" }, maps.row_title));
  return [make("figcaption", {}, side.title), svg];
}

/**
 * @param {Side} side
 * @param {import("../lib/credit-map.js").Box} box
 */
function edges({ edges: starts, values }, box) {
  if (starts.length >= values[0].length) return ""; // before every step: they would hide the cells
  return starts.filter((start) => start > 0)
    .map((start) => `M${(box.left + (box.width * start) / values[0].length).toFixed(2)} ${box.top}v${box.height}`).join("");
}

/**
 * Returns the entries of the key, which holds for both pictures.
 * @param {Maps} maps
 */
export function mapKey({ low, high, broken, mended }) {
  const ends = bounds(low, high);
  const swatch = (/** @type {string} */ name) => draw("svg", { viewBox: "0 0 20 14", "aria-hidden": "true" }, draw("rect", { class: name, x: 0.5, y: 0.5, width: 19, height: 13 }));
  const shades = Array.from({ length: SHADES }, (_, n) => make("span", {}, swatch(`shade-${n}`),
    n === 0 ? `below ${number(ends[1])}` : n === SHADES - 1 ? `from ${number(ends[n])}` : `${number(ends[n])} to ${number(ends[n + 1])}`));
  const dashed = edges(broken, BOX) || edges(mended, BOX) ? [make("span", {}, "dashed: a window starts")] : [];
  return [make("span", {}, swatch("none"), "exactly 0"), ...shades, ...dashed];
}
