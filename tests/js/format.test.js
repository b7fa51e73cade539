import assert from "node:assert/strict";
import { test } from "node:test";

import { csv, csvCell, error, number, percent, visible } from "../../static/js/lib/format.js";

test("numbers are short, and what is none says so", () => {
  assert.deepEqual([0.5, 12345, -2, 1e-7, 3e12, 0].map(number), ["0.500", "12345", "\u22122.00", "1.0e\u22127", "3.0e12", "0"]);
  assert.deepEqual([NaN, null, undefined, Infinity, -Infinity].map(number), ["not a number", "not a number", "not a number", "infinite", "minus infinite"]);
});

test("the badge's error has one digit", () => {
  assert.deepEqual([3.2e-15, 0].map(error), ["3e-15", "0"]);
});

test("shares are percentages", () => {
  assert.match(percent(0.876), /^88\s%$/);
  assert.match(percent(0.0123), /^1\.2\s%$/);
});

test("a CSV's cells are quoted where they must be, and never a formula", () => {
  assert.deepEqual(["a", "a,b", 'say "x"', "=1+1", "@x", "-", 1.5].map(csvCell), ["a", '"a,b"', '"say ""x"""', "'=1+1", "'@x", "'-", "1.5"]);
  assert.equal(csv({ columns: ["step", "input"], rows: [[0, "\n"]] }), 'step,input\r\n0,"\n"\r\n');
});

test("symbols without a shape get one", () => {
  assert.deepEqual([" ", "\n", "\t", "x"].map(visible), ["\u2423", "\u23ce", "\u21e5", "x"]);
});
