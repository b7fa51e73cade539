/**
 * What the strip is made of, as types. (leaf)
 *
 * @typedef {object} StripData
 * @property {number} steps
 * @property {number} [first] the number that the first of them has in a longer sequence
 * @property {readonly string[]} inputs label of each step's input
 * @property {readonly string[]} targets label of each step's target, "" where there is none
 * @property {Set<number>} losses steps at which a loss is read
 * @property {ArrayLike<number>} starts first step of each window that is drawn as one
 * @property {string} noun what a window is called
 * @property {string} note what is said of all windows, "" for nothing
 * @property {ArrayLike<number>} cut per step: 1 if no gradient crosses the edge to the step before
 * @property {ArrayLike<number>} reset per step: 1 if the state is reset before it
 * @property {ArrayLike<number>} reach per loss step: earliest step that it reaches
 * @property {ArrayLike<number> | null} row credit of the picked loss under full BPTT, per state step
 * @property {ArrayLike<number> | null} kept the same under the truncation
 *
 * @typedef {{s: number, at: number, from: number, to: number}} StripView the picked loss, the step
 *   to which its backward pass is shown, and the steps in sight: [from, to)
 * @typedef {{width: number, em: number, labels: number}} StripSize em: the size of a line of text, in
 *   pixels; labels: what the names of the rows take on the left
 *
 * @typedef {object} Block one cell of the picture: a step, or several that lie together
 * @property {number} from
 * @property {number} to last step
 * @property {number} x left edge
 * @property {number} width
 * @property {number} middle
 * @property {boolean} loss
 * @property {boolean} picked
 * @property {number} kept largest credit that arrives in it under the truncation, NaN if it has no such step
 * @property {number} lost largest credit that full BPTT would bring and the cut keeps out, NaN if none
 *
 * @typedef {object} Edge where something happens before a step
 * @property {number} x
 * @property {number} step the first such step
 * @property {boolean} cut a gradient ends here
 * @property {boolean} picked the picked loss' gradient ends here
 * @property {boolean} reset the state is reset here
 * @property {number} count how many edges of a block this one stands for
 * @property {boolean} between it lies between two blocks, and stands for itself alone
 * @property {boolean} large there is room for its scissors
 * @property {number} left the end of what lies before it
 * @property {number} right the start of what comes after it
 *
 * @typedef {{from: number, to: number, x: number, width: number, index: number}} Band a window in sight
 * @typedef {{x: number, step: number}} Tick
 * @typedef {object} Scene
 * @property {Block[]} blocks
 * @property {Edge[]} edges
 * @property {Band[]} bands
 * @property {Tick[]} ticks
 * @property {number} group the most steps that a block holds
 * @property {boolean} across blocks hold whole windows, so these are not drawn one by one
 * @property {number} cell width of a block
 * @property {number} pitch
 * @property {number} left
 * @property {number} right
 */

export {};
