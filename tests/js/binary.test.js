import assert from "node:assert/strict";
import { test } from "node:test";

import { decode } from "../../static/js/lib/binary.js";

/**
 * Packs an answer as the server does: header padded so that the arrays begin at a multiple of 8.
 * @param {string} json
 * @param {ArrayBufferView[]} arrays each a multiple of 8 bytes long
 */
function pack(json, arrays) {
  const header = new TextEncoder().encode(json.padEnd(json.length + ((8 - ((8 + new TextEncoder().encode(json).length) % 8)) % 8)));
  const size = arrays.reduce((sum, array) => sum + array.byteLength, 0);
  const bytes = new Uint8Array(8 + header.length + size);
  bytes.set(new TextEncoder().encode("UNR1"));
  new DataView(bytes.buffer).setUint32(4, header.length, true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer), at);
    at += array.byteLength;
  }
  return bytes.buffer;
}

test("arrays come back as typed arrays over the answer's own bytes, matrices as rows", () => {
  const buffer = pack('{"a":{"$array":{"dtype":"f8","shape":[2],"offset":0}},"m":{"$array":{"dtype":"f4","shape":[2,2],"offset":16}},"n":"\u2192"}',
    [new Float64Array([1.5, -2]), new Float32Array([1, 2, 3, 4])]);
  const { a, m, n } = decode(buffer);
  assert.ok(a instanceof Float64Array && a.buffer === buffer);
  assert.deepEqual([...a], [1.5, -2]);
  assert.deepEqual(m.map((row) => [...row]), [[1, 2], [3, 4]]);
  assert.equal(n, "\u2192");
});

test("what is not finite stays what it is, in arrays and alone", () => {
  const { a, x } = decode(pack('{"a":{"$array":{"dtype":"f8","shape":[3],"offset":0}},"x":{"$array":{"dtype":"f8","shape":[],"offset":24}}}',
    [new Float64Array([NaN, Infinity, -Infinity]), new Float64Array([Infinity])]));
  assert.deepEqual([...a], [NaN, Infinity, -Infinity]);
  assert.equal(x, Infinity);
});

test("an empty matrix has its rows", () => {
  const { m } = decode(pack('{"m":{"$array":{"dtype":"f8","shape":[2,0],"offset":0}}}', []));
  assert.deepEqual(m.map((row) => row.length), [0, 0]);
});

test("what is no such answer is refused", () => {
  assert.throws(() => decode(new ArrayBuffer(4)), TypeError);
  assert.throws(() => decode(new TextEncoder().encode("<!doctype html>").buffer), TypeError);
  const long = pack("{}", []);
  new DataView(long).setUint32(4, 1e6, true);
  assert.throws(() => decode(long), TypeError);
  assert.throws(() => decode(pack('{"a":{"$array":{"dtype":"f2","shape":[1],"offset":0}}}', [new Float64Array(1)])), /unknown type f2/);
});
