/** The colours of tokens.css, as the browser resolves them under the theme in force. */

/** @type {Map<string, string>} */
const known = new Map();

/** Forgets the colours, when the theme has changed. */
export function forgetColours() {
  known.clear();
}

/**
 * Returns the colour of a token such as "full".
 * @param {string} name
 */
export function colour(name) {
  let value = known.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    if (value === "") throw new Error(`tokens.css has no colour --${name}`);
    known.set(name, value);
  }
  return value;
}

/**
 * Returns a copy of a figure in which every "var(--name)" is that colour. Typed arrays are shared, not copied.
 * @param {any} part
 * @returns {any}
 */
export function withColours(part) {
  if (typeof part === "string") return part.startsWith("var(--") ? colour(part.slice(6, -1)) : part;
  if (part === null || typeof part !== "object" || ArrayBuffer.isView(part)) return part;
  if (Array.isArray(part)) return ArrayBuffer.isView(part[0]) ? part : part.map(withColours);
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withColours(value)]));
}
