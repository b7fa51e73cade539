/** Whose turn it is to be drawn: what is in sight first, and the page breathes in between. (leaf) */

/**
 * Returns how far an element is from what is in sight, in pixels.
 * @param {HTMLElement} element
 */
export function distance(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return Math.max(0, top - innerHeight, -bottom);
}

/**
 * Waits for the next turn of the page; what is out of sight can wait until the page has nothing else to do.
 * @param {boolean} soon
 * @returns {Promise<void>}
 */
export function turn(soon) {
  return new Promise((resolve) => {
    if (soon || !("requestIdleCallback" in window)) setTimeout(() => resolve());
    else requestIdleCallback(() => resolve(), { timeout: 100 });
  });
}
