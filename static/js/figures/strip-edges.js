/** Where the strip is cut or reset, and the windows that lie between. */

/**
 * @typedef {import("./strip-types.js").StripData} StripData
 * @typedef {import("./strip-types.js").StripView} StripView
 * @typedef {import("./strip-types.js").Block} Block
 * @typedef {import("./strip-types.js").Edge} Edge
 * @typedef {import("./strip-types.js").Band} Band
 */

export const SCISSORS = 1.5; // em: the room that scissors take

/**
 * Returns the edges at which something happens: cut, reset, or the end of the picked loss's reach.
 * @param {Block[]} blocks
 * @param {StripData} data
 * @param {StripView} view
 * @param {number} em
 * @returns {Edge[]}
 */
export function edgesOf(blocks, data, view, em) {
  const edges = /** @type {Edge[]} */ ([]);
  for (const [i, block] of blocks.entries()) {
    const inner = edgesWithin(data, view, block, i > 0);
    if (inner.count === 0) continue;
    const between = i > 0 && inner.count === 1 && inner.step === block.from;
    const left = between ? blocks[i - 1].x + blocks[i - 1].width : block.x;
    const right = between ? block.x : block.x + block.width;
    const share = between || !inner.picked ? 0.5 : (inner.step - block.from) / (block.to - block.from + 1);
    edges.push({ ...inner, x: left + share * (right - left), between, large: false, left, right });
  }
  return withRoom(edges, SCISSORS * em);
}

/**
 * @param {StripData} data
 * @param {StripView} view
 * @param {Block} block
 * @param {boolean} withFirst whether the edge before the block is in sight
 */
function edgesWithin(data, view, block, withFirst) {
  const found = { count: 0, step: -1, cut: false, picked: false, reset: false };
  const reach = data.reach[view.s];
  for (let t = block.from + (withFirst ? 0 : 1); t <= block.to; t++) {
    const picked = t > 0 && t === reach && t <= view.s;
    if (!picked && !data.cut[t] && !data.reset[t]) continue;
    if (found.count++ === 0 || picked) found.step = t;
    found.cut ||= picked || Boolean(data.cut[t]);
    found.picked ||= picked;
    found.reset ||= Boolean(data.reset[t]);
  }
  return found;
}

/**
 * Gives scissors to the edge where the picked loss stops, and to the others if most of them have
 * room; the rest are small marks.
 * @param {Edge[]} edges
 * @param {number} room
 */
function withRoom(edges, room) {
  const others = edges.filter((edge) => edge.cut && edge.between && !edge.picked);
  const crowded = others.filter((edge, i) => i > 0 && edge.x - others[i - 1].x < room).length > others.length / 2;
  const placed = /** @type {Edge[]} */ ([]);
  for (const edge of [...edges.filter((one) => one.picked), ...(crowded ? [] : others)]) {
    edge.large = placed.every((other) => Math.abs(other.x - edge.x) >= room);
    if (edge.large) placed.push(edge);
  }
  return edges;
}

/**
 * @param {Block[]} blocks
 * @param {StripData} data
 * @param {number} gap
 * @returns {Band[]}
 */
export function bandsOf(blocks, data, gap) {
  /** @type {Band[]} */
  const bands = [];
  let window = -1;
  for (const block of blocks) {
    while (window + 1 < data.starts.length && data.starts[window + 1] <= block.from) window += 1;
    const last = bands.at(-1);
    if (last && last.index === window) Object.assign(last, { to: block.to, width: block.x + block.width + gap / 4 - last.x });
    else bands.push({ from: block.from, to: block.to, x: block.x - gap / 4, width: block.width + gap / 2, index: window });
  }
  return bands;
}
