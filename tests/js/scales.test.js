import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { HIGH, LOW, kindOf, level, niceStep, positionOf, thickness, ticks, valueAt } from "../../static/js/lib/scales.js";

test("page and server share one absolute scale", () => {
  const text = readFileSync(new URL("../../server/figures/scale.py", import.meta.url), "utf8");
  const [, low, high] = text.match(/^LOW, HIGH = ([\d.e-]+), ([\d.e-]+)$/m) ?? [];
  assert.deepEqual([LOW, HIGH], [Number(low), Number(high)]);
});

test("the scale is absolute and logarithmic", () => {
  assert.equal(level(LOW), 0);
  assert.equal(level(HIGH), 1);
  assert.ok(Math.abs(level(Math.sqrt(LOW * HIGH)) - 0.5) < 1e-12);
  assert.deepEqual([level(1e-300), level(0), level(NaN), level(Infinity)], [0, 0, 0, 1]);
});

test("zero, small, large, infinite and no number are five different things", () => {
  assert.deepEqual([0, 1e-30, 1e-5, 1e5, Infinity, NaN].map(kindOf), ["zero", "below", "scale", "over", "infinite", "nan"]);
});

test("exactly zero has no width, and a small norm still has one", () => {
  assert.equal(thickness(0, 1, 10), 0);
  assert.equal(thickness(1e-40, 1, 10), 1);
  assert.equal(thickness(HIGH, 1, 10), 10);
});

test("a slider's place and value belong to each other, on both kinds of track", () => {
  for (const log of [false, true]) {
    for (const value of [2, 17, 256]) assert.ok(Math.abs(valueAt(positionOf(value, 1, 256, log), 1, 256, log) - value) < 1e-9);
    assert.equal(positionOf(9999, 1, 256, log), 1);
  }
  assert.equal(positionOf(5, 3, 3, false), 0);
});

test("ticks are round and within", () => {
  assert.deepEqual(ticks(0, 60, 12), [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]);
  assert.deepEqual(ticks(37, 52, 3), [40, 45, 50]);
  assert.deepEqual([0.3, 1.1, 3, 7, 60].map(niceStep), [1, 2, 5, 10, 100]);
});
