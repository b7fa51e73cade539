/** A small picture as SVG: lines and points on two axes, and its key. Colours and dashes come from the style sheet. */

import { make } from "../lib/dom.js";
import { layout, path } from "../lib/small-layout.js";

/** @typedef {import("../lib/small-layout.js").Picture} Picture */

const WIDTH = 480;
const HEIGHT = 250;
const BOX = { left: 58, top: 10, width: 410, height: 190 };

/**
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
 * Returns what a <figure> holds: caption, picture and key.
 * @param {Picture} picture
 * @returns {Element[]}
 */
export function smallPicture(picture) {
  const placed = layout(picture, BOX);
  const bottom = BOX.top + BOX.height;
  const names = picture.series.map((one) => one.name).join("; ");
  const svg = draw("svg", { class: "small-picture", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${picture.title}: ${names}` },
    ...placed.yTicks.map(({ at }) => draw("path", { class: "grid", d: `M${BOX.left} ${at}h${BOX.width}` })),
    draw("path", { class: "axis", d: `M${BOX.left} ${BOX.top}v${BOX.height}h${BOX.width}` }),
    ...placed.yTicks.map(({ value, at }) => draw("text", { x: BOX.left - 6, y: at + 4, "text-anchor": "end" }, label(value))),
    ...placed.xTicks.map(({ value, at }) => draw("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, label(value))),
    draw("text", { x: BOX.left + BOX.width / 2, y: HEIGHT - 10, "text-anchor": "middle" }, picture.x_title),
    draw("text", { transform: `translate(12 ${BOX.top + BOX.height / 2}) rotate(-90)`, "text-anchor": "middle" }, picture.y_title),
    ...placed.series.flatMap(marks));
  return [make("figcaption", {}, picture.title), svg, make("ul", { class: "picture-key" }, ...picture.series.map(keyEntry))];
}

/** @param {{role: string, points: boolean, places: number[][]}} one */
function marks({ role, points, places }) {
  if (!points) return [draw("path", { class: `line role-${role}`, d: path(places) })];
  return places.map(([x, y]) => draw("circle", { class: `point role-${role}`, cx: x.toFixed(1), cy: y.toFixed(1), r: 4 }));
}

/** @param {{name: string, role: string, points: boolean}} one */
function keyEntry({ name, role, points }) {
  const mark = points ? draw("circle", { class: `point role-${role}`, cx: 14, cy: 6, r: 4 }) : draw("path", { class: `line role-${role}`, d: "M1 6h26" });
  return make("li", {}, draw("svg", { viewBox: "0 0 28 12", "aria-hidden": "true" }, mark), name);
}

/** @param {number} value */
function label(value) {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(0).replace("e+", "e") : String(value);
  return text.replaceAll("-", "\u2212");
}
