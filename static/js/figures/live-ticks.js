/**
 * Writes the ticks of an axis or of a colour scale anew while a slider moves, which takes Plotly 15 to 25 ms. Plotly knows
 * its own by what they said when it made them: they are hidden, not changed, until it draws again. (leaf)
 */

/** @typedef {{at: number, words: string, inside: boolean}} Tick in pixels of the drawing; whether a grid line fits there */

const OURS = "data-live";
const HIDDEN = "display"; // the attribute: Plotly writes the style

/**
 * Returns whether an axis or a colour scale says itself where its ticks stand and what they say.
 * @param {any} part of a layout, or a trace's colour scale
 */
export function writtenOut(part) {
  return Boolean(part?.tickvals && part.ticktext);
}

/**
 * Writes the ticks of every axis and colour scale that differ from those of the figure before.
 * @param {HTMLElement} element
 * @param {import("./plotly-host.js").Figure} before
 * @param {import("./plotly-host.js").Figure} figure
 */
export function drawTicks(element, before, figure) {
  for (const [name, axis] of Object.entries(figure.layout)) {
    if (!writtenOut(axis) || !axis.range || says(axis) === says(before.layout[name])) continue;
    const id = name.replace("axis", "");
    const ticks = ticksOf(/** @type {any} */ (element)._fullLayout[name], axis, name[0] === "x");
    const move = (/** @type {number} */ at) => (name[0] === "x" ? `translate(${at},0)` : `translate(0,${at})`);
    for (const kind of [`path.${id}tick`, `g.${id}tick`]) replace(element, kind, ticks, ({ at }) => move(at));
    replace(element, `path.${id}grid`, ticks.filter(({ inside }) => inside), ({ at }) => move(at));
  }
  for (const [i, { colorbar, uid }] of figure.data.entries()) {
    if (!writtenOut(colorbar) || says(colorbar) === says(before.data[i].colorbar)) continue;
    replace(element, `g.ycb${CSS.escape(uid)}tick`, colorbar.ticktext.map((/** @type {string} */ words) => ({ words })), (_, own) => own);
  }
}

/**
 * Shows Plotly's own ticks again, before it draws.
 * @param {HTMLElement} element
 */
export function clearTicks(element) {
  for (const node of element.querySelectorAll(`[${OURS}]`)) node.remove();
  for (const node of element.querySelectorAll(`[${HIDDEN}=none]`)) node.removeAttribute(HIDDEN);
}

/**
 * Returns an axis' ticks, in the places that Plotly would give them.
 * @param {any} full the axis as Plotly has completed it
 * @param {any} axis
 * @param {boolean} across
 * @returns {Tick[]}
 */
export function ticksOf({ _offset: offset, _length: length }, { type, range: [low, high], tickvals, ticktext }, across) {
  const ticks = [];
  for (const [i, value] of tickvals.entries()) {
    const share = ((type === "log" ? Math.log10(value) : value) - low) / (high - low);
    if (!(share > -1e-6 && share < 1 + 1e-6)) continue;
    const along = (across ? share : 1 - share) * length;
    ticks.push({ at: Math.round((offset + along) * 100) / 100, words: ticktext[i], inside: along > 1 && along < length - 1 });
  }
  return ticks;
}

/** @param {any} part */
function says(part) {
  return JSON.stringify([part?.range, part?.tickvals, part?.ticktext]);
}

/**
 * Puts nodes of ours in the place of Plotly's.
 * @template {{words: string}} T
 * @param {HTMLElement} element
 * @param {string} selector
 * @param {T[]} ticks
 * @param {(tick: T, own: string) => string} moved where a tick stands, given where Plotly has its nth
 */
function replace(element, selector, ticks, moved) {
  for (const node of element.querySelectorAll(`${selector}[${OURS}]`)) node.remove();
  const plotlys = inOrder([...element.querySelectorAll(selector)]);
  for (const node of plotlys) node.setAttribute(HIDDEN, "none");
  for (const [i, tick] of plotlys.length ? ticks.entries() : []) {
    const node = /** @type {Element} */ (plotlys[0].cloneNode(true));
    node.removeAttribute(HIDDEN);
    node.setAttribute(OURS, "");
    const text = node.querySelector("text");
    (text ?? node).setAttribute("transform", moved(tick, placeOf(plotlys[Math.min(i, plotlys.length - 1)])));
    if (text) text.textContent = tick.words;
    plotlys[0].parentNode?.append(node);
  }
}

/**
 * Returns nodes from the least value on: Plotly appends those that are new, wherever they stand.
 * @param {Element[]} nodes along a vertical axis
 */
function inOrder(nodes) {
  const down = (/** @type {Element} */ node) => Number(placeOf(node).split(",")[1]?.slice(0, -1));
  return nodes.sort((a, b) => down(b) - down(a));
}

/** @param {Element} node */
function placeOf(node) {
  return (node.querySelector("text") ?? node).getAttribute("transform") ?? "";
}
