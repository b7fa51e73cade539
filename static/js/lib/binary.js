/** Decodes the page's binary representation of an analysis (`application/vnd.unrolled.bin`). */

const READERS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/**
 * Returns the object that the bytes describe. One-dimensional arrays become typed arrays over the
 * same buffer, deeper ones arrays of rows; NaN and infinity are kept.
 * @param {ArrayBuffer} buffer
 * @returns {any}
 */
export function decode(buffer) {
  const head = new DataView(buffer);
  if (buffer.byteLength < 8 || head.getUint32(0) !== 0x554e5231) throw new TypeError("not an UNR1 answer");
  const length = head.getUint32(4, true);
  const start = 8 + length;
  if (start > buffer.byteLength) throw new TypeError("an UNR1 answer that ends within its header");
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, length));
  return revived(JSON.parse(text), buffer, start);
}

/**
 * Puts the arrays where they are named, in place: a reviver of JSON.parse takes several times as long.
 * @param {any} value
 * @param {ArrayBuffer} buffer
 * @param {number} start
 * @returns {any}
 */
function revived(value, buffer, start) {
  if (value === null || typeof value !== "object") return value;
  if (value.$array) return revive(value.$array, buffer, start);
  for (const key in value) {
    const item = value[key];
    if (item !== null && typeof item === "object") value[key] = revived(item, buffer, start);
  }
  return value;
}

/**
 * @param {{dtype: keyof typeof READERS, shape: number[], offset: number}} entry
 * @param {ArrayBuffer} buffer
 * @param {number} start of the data, in bytes
 */
function revive({ dtype, shape, offset }, buffer, start) {
  const Reader = READERS[dtype];
  if (!Reader) throw new TypeError(`an array of unknown type ${dtype}`);
  return rows(Reader, buffer, start + offset, shape);
}

/**
 * @param {typeof READERS[keyof typeof READERS]} Reader
 * @param {ArrayBuffer} buffer
 * @param {number} offset
 * @param {number[]} shape
 * @returns {any}
 */
function rows(Reader, buffer, offset, shape) {
  if (shape.length === 0) return new Reader(buffer, offset, 1)[0]; // a lone number that JSON cannot write
  if (shape.length === 1) return new Reader(buffer, offset, shape[0]);
  const [count, ...rest] = shape;
  const stride = rest.reduce((product, n) => product * n, 1) * Reader.BYTES_PER_ELEMENT;
  return Array.from({ length: count }, (_, i) => rows(Reader, buffer, offset + i * stride, rest));
}
