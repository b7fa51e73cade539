import assert from "node:assert/strict";
import test from "node:test";

import { SHADES, amount, bounds, cells, shade, tableRows, ticks } from "../../static/js/lib/credit-map.js";

const BOX = { left: 10, top: 20, width: 30, height: 20 };

test("a shade is the place on an absolute logarithmic scale, and nothing is no shade", () => {
  assert.deepEqual([1e-3, 9.9e-3, 1e-2, 0.5, 0.99].map((value) => shade(value, 1e-3, 1)), [0, 1, 2, 5, 5]);
  assert.deepEqual([0, null, NaN, -1].map((value) => shade(value, 1e-3, 1)), [-1, -1, -1, -1]);
});

test("what is smaller or larger than the scale has its first or last shade", () => {
  assert.equal(shade(1e-12, 1e-3, 1), 0);
  assert.equal(shade(1, 1e-3, 1), SHADES - 1);
  assert.equal(shade(7, 1e-3, 1), SHADES - 1);
});

test("the bounds of the shades run from one end of the scale to the other", () => {
  const found = bounds(1e-6, 1);
  assert.equal(found.length, SHADES + 1);
  found.forEach((value, n) => assert.ok(Math.abs(value / 10 ** (n - 6) - 1) < 1e-9));
});

test("cells stand in their columns, row 0 at the bottom, one path a shade", () => {
  const paths = cells([[1, 0, 0], [0, 1e-3, 1]], { low: 1e-3, high: 1 }, BOX);
  assert.equal(paths[5], "M10 30h10v10h-10zM30 20h10v10h-10z");
  assert.equal(paths[0], "M20 20h10v10h-10z");
  assert.deepEqual(paths.slice(1, 5), ["", "", "", ""]);
});

test("an axis has its first label and at most seven", () => {
  const labels = Array.from({ length: 40 }, (_, n) => n);
  const found = ticks(labels);
  assert.equal(found[0].label, "0");
  assert.ok(found.length <= 7);
  assert.ok(Math.abs(found[0].at - 0.5 / 40) < 1e-12);
  assert.deepEqual(ticks([3, 6]).map(({ label }) => label), ["3", "6"]);
});

test("the table has a row for each cell in which either picture has something", () => {
  const side = (/** @type {number[][]} */ values) => ({ title: "", values, edges: [0] });
  const maps = { quantity: "", row_title: "", column_title: "", rows: [4, 5], columns: [0, 1], low: 0.1, high: 1, sentence: "",
    broken: side([[0, 0], [0.5, 0]]), mended: side([[0, 0], [0, 1]]) };
  assert.deepEqual(tableRows(maps), [["5", "0", "0.500", "0"], ["5", "1", "0", "1.00"]]);
});

test("an amount is a count in full, or a number in three digits, with its unit", () => {
  assert.equal(amount(71424, "bytes"), "71,424\u00a0bytes");
  assert.equal(amount(0.5, "squared error"), "0.500 squared error"); // may be broken where there is little room
  assert.equal(amount(0.288, ""), "0.288");
  assert.equal(amount(3003000, "steps"), "3,003,000\u00a0steps");
  assert.equal(amount(null, ""), "not a number");
});
