/** One entry of a picture's key: a small sample of its line, points or area, and its name. */

import { make } from "../lib/dom.js";

const SVG = "http://www.w3.org/2000/svg";
/** @type {Record<string, [string, Record<string, string>]>} */
const SAMPLES = { line: ["path", { d: "M1 6h26" }], points: ["circle", { cx: "14", cy: "6", r: "4" }], area: ["path", { d: "M1 6h26", "stroke-width": "10" }] };

/** @param {import("../lib/deeper-key.js").Entry} entry */
export function keyEntry({ name, kind, color, width, dash }) {
  const [tag, place] = SAMPLES[kind];
  const sample = document.createElementNS(SVG, tag);
  const look = kind === "line" ? { "stroke-width": String(width), "stroke-dasharray": dash } : {};
  for (const [attribute, value] of Object.entries({ ...place, ...look })) sample.setAttribute(attribute, value);
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 28 12");
  picture.setAttribute("aria-hidden", "true");
  picture.append(sample);
  const item = make("li", { style: `--key: ${color}` });
  item.append(picture, name);
  return item;
}
