/** The strip's key: what thickness, colour and marks mean, on the same scale as everything else. */

import { make } from "../lib/dom.js";
import { LOW, thickness } from "../lib/scales.js";
import { HAIR, LANE } from "./strip-rows.js";

/**
 * @param {HTMLElement} root
 * @param {boolean} truncated whether the run's gradient is a truncated one
 */
export function drawKey(root, truncated) {
  root.replaceChildren(
    sample("truncated", truncated ? "the truncated gradient" : "the gradient: nothing is cut", truncated ? "truncated" : "full"),
    ...(truncated ? [sample("ghost", "what the cut throws away", "full")] : []),
    ...[1, 1e-2, 1e-4, 1e-6, 1e-8].map((norm) => width(norm)),
    make("span", {}, "dotted: under 10\u207b\u2079; \u25cb exactly 0"),
    make("span", {}, "\u2702 the gradient is cut"), make("span", {}, "// the state is reset"));
}

/**
 * @param {string} kind
 * @param {string} text
 * @param {string} token
 */
function sample(kind, text, token) {
  const style = kind === "ghost" ? `width:1.5rem;height:0.7rem;border:1px dashed var(--${token});background:var(--${token}-soft)` : `width:1.5rem;height:0.7rem;background:var(--${token})`;
  return make("span", {}, make("i", { style, "aria-hidden": "true" }), text);
}

/** @param {number} norm */
function width(norm) {
  const exponent = Math.round(Math.log10(norm));
  const text = exponent === 0 ? "1" : `10${String(exponent).replace(/[-\d]/g, (c) => "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"["-0123456789".indexOf(c)])}`;
  return make("span", {}, make("i", { style: `width:0.75rem;height:${thickness(Math.max(norm, LOW), HAIR, LANE) * 0.875}rem;background:var(--ink-soft)`, "aria-hidden": "true" }), text);
}
