/** What of the strip is in sight: where a step stands, zoom and pan. Pure arithmetic. (leaf) */

/**
 * @typedef {import("./strip-types.js").Block} Block
 * @typedef {import("./strip-types.js").Scene} Scene
 * @typedef {{from: number, to: number}} Sight the steps in sight: [from, to)
 */

/**
 * Returns the block that holds a step, or undefined.
 * @param {Block[]} blocks
 * @param {number} step
 */
export function blockAt(blocks, step) {
  let low = 0;
  let high = blocks.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (blocks[middle].to < step) low = middle + 1;
    else if (blocks[middle].from > step) high = middle - 1;
    else return blocks[middle];
  }
  return undefined;
}

/**
 * Returns the step nearest to a horizontal position.
 * @param {Scene} scene
 * @param {number} x
 */
export function stepAt(scene, x) {
  const { blocks, pitch } = scene;
  let best = blocks[0];
  for (const block of blocks) if (Math.abs(block.middle - x) < Math.abs(best.middle - x)) best = block;
  const within = (x - best.middle) / pitch + 0.5;
  return Math.min(best.to, Math.max(best.from, best.from + Math.floor(within * (best.to - best.from + 1))));
}

/**
 * Returns the steps in sight after zooming by a factor about a step; never fewer than five.
 * @param {Sight} sight
 * @param {number} factor above 1 shows more
 * @param {number} about
 * @param {number} steps
 * @returns {Sight}
 */
export function zoomed(sight, factor, about, steps) {
  const count = Math.min(steps, Math.max(Math.min(5, steps), Math.round((sight.to - sight.from) * factor)));
  const share = (about - sight.from + 0.5) / (sight.to - sight.from);
  return panned({ from: 0, to: count }, Math.round(about + 0.5 - share * count), steps);
}

/**
 * Returns the sight moved by some steps, kept within the sequence.
 * @param {Sight} sight
 * @param {number} by
 * @param {number} steps
 * @returns {Sight}
 */
export function panned(sight, by, steps) {
  const count = Math.min(steps, sight.to - sight.from);
  const from = Math.min(steps - count, Math.max(0, sight.from + by));
  return { from, to: from + count };
}

/**
 * Returns the sight moved as little as it takes to have a step in it.
 * @param {Sight} sight
 * @param {number} step
 * @param {number} steps
 * @returns {Sight}
 */
export function following(sight, step, steps) {
  if (step < sight.from) return panned(sight, step - sight.from, steps);
  return panned(sight, Math.max(0, step + 1 - sight.to), steps);
}

/**
 * Returns what to show of a sequence when nobody has chosen: all of it where that is not much more
 * than what has a block for each step, else as many steps as have a block each, back from the picked loss (or from the
 * step that its backward pass has come to).
 * @param {{s: number, at: number | null}} picked
 * @param {number} steps
 * @param {number} fits how many steps have room
 * @returns {Sight}
 */
export function sightOf({ s, at }, steps, fits) {
  if (steps <= 1.25 * fits) return { from: 0, to: steps };
  const last = { from: steps - fits, to: steps };
  return following(following(last, s, steps), at ?? s, steps);
}
