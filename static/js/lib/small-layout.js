/** The layout of a small picture: pure arithmetic from series to places, without a page. */

/**
 * @typedef {{name: string, x: number[], y: number[], role: string, points: boolean}} Series
 * @typedef {{title: string, x_title: string, y_title: string, log: boolean, series: Series[]}} Picture
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 */

/**
 * Returns round numbers from low to high, both within: about `most` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
export function roundTicks(low, high, most) {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const every = power * (/** @type {number} */ ([1, 2, 5, 10].find((digit) => digit * power >= raw * (1 - 1e-9))));
  const first = Math.ceil(low / every - 1e-9);
  const count = Math.floor(high / every + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * every).toPrecision(12)));
}

/**
 * Returns powers of ten from low to high, both within, thinned to about `most`.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
export function decadeTicks(low, high, most) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / most));
  const found = [];
  for (let n = first; n <= last; n += every) found.push(Number(`1e${n}`));
  return found;
}

/**
 * Returns the least and the greatest of all values, a little widened on a linear axis, and to whole decades on a logarithmic one.
 * @param {number[]} values
 * @param {boolean} log
 * @returns {[number, number]}
 */
export function extent(values, log) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (log) return [Number(`1e${Math.floor(Math.log10(low))}`), Number(`1e${Math.ceil(Math.log10(high))}`)];
  const margin = high > low ? 0.05 * (high - low) : Math.abs(high) || 1;
  return [low - margin, high + margin];
}

/**
 * Returns a function from values to places between two ends.
 * @param {[number, number]} domain
 * @param {[number, number]} range
 * @param {boolean} log
 * @returns {(value: number) => number}
 */
export function scale([low, high], [from, to], log) {
  const at = log ? Math.log10 : (/** @type {number} */ value) => value;
  return (value) => from + ((to - from) * (at(value) - at(low))) / (at(high) - at(low));
}

/**
 * Returns where everything of a picture stands in a box.
 * @param {Picture} picture
 * @param {Box} box
 */
export function layout(picture, box) {
  const xs = picture.series.flatMap((one) => one.x);
  const domain = extent(picture.series.flatMap((one) => one.y), picture.log);
  const x = scale([Math.min(...xs), Math.max(...xs)], [box.left, box.left + box.width], false);
  const y = scale(domain, [box.top + box.height, box.top], picture.log);
  const whole = xs.every(Number.isInteger); // what is counted has no halves
  const xTicks = roundTicks(Math.min(...xs), Math.max(...xs), 6).filter((value) => !whole || Number.isInteger(value));
  const yTicks = picture.log ? decadeTicks(...domain, 5) : roundTicks(...domain, 5);
  return {
    xTicks: xTicks.map((value) => ({ value, at: x(value) })),
    yTicks: yTicks.map((value) => ({ value, at: y(value) })),
    series: picture.series.map((one) => ({ ...one, places: one.x.map((value, i) => [x(value), y(one.y[i])]) })),
  };
}

/**
 * Returns an SVG path through places.
 * @param {number[][]} places
 */
export function path(places) {
  return places.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}
