import assert from "node:assert/strict";
import { test } from "node:test";

import { claimed, computed, tally, tolerance } from "../../static/js/lib/agreement.js";
import { decadeTicks, extent, layout, path, roundTicks, scale } from "../../static/js/lib/small-layout.js";

test("round ticks lie within, on multiples of 1, 2 or 5", () => {
  assert.deepEqual(roundTicks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(roundTicks(-6.9, 17.6, 5), [-5, 0, 5, 10, 15]);
  assert.deepEqual(roundTicks(0.44, 0.67, 5), [0.45, 0.5, 0.55, 0.6, 0.65]);
  assert.deepEqual(roundTicks(1, 160, 6), [50, 100, 150]);
});

test("decades are powers of ten, thinned where there are many", () => {
  assert.deepEqual(decadeTicks(1, 100, 5), [1, 10, 100]);
  assert.deepEqual(decadeTicks(1e-5, 1, 3), [1e-5, 1e-3, 0.1]);
});

test("the extent has room for a constant series, and whole decades on a logarithmic axis", () => {
  const [low, high] = extent([2, 2], false);
  assert.ok(low < 2 && high > 2);
  assert.deepEqual(extent([0.00005, 0.9], true), [1e-5, 1]);
});

test("a scale goes from end to end", () => {
  const at = scale([1, 100], [0, 10], true);
  assert.deepEqual([at(1), at(10), at(100)], [0, 5, 10]);
  assert.equal(scale([0, 4], [10, 0], false)(1), 7.5);
});

test("a layout places every value within the box", () => {
  const series = [{ name: "a", x: [1, 2, 3], y: [-1, 0, 5], role: "full", points: false }];
  const box = { left: 10, top: 5, width: 100, height: 50 };
  const placed = layout({ title: "", x_title: "", y_title: "", log: false, series }, box);
  for (const [x, y] of placed.series[0].places) {
    assert.ok(x >= 10 && x <= 110);
    assert.ok(y >= 5 && y <= 55);
  }
  assert.ok(placed.yTicks.every(({ at }) => at >= 5 && at <= 55));
  assert.deepEqual(placed.xTicks.map(({ value }) => value), [1, 2, 3]); // no half of what is counted
  assert.equal(path([[0, 1], [2, 3.25]]), "M0.0 1.0L2.0 3.3");
});

test("numbers keep the digits that matter", () => {
  assert.equal(claimed(-0.0698198561274), "\u22120.0698198561274");
  assert.equal(computed(-0.06981985612744011, -0.0698198561274), "\u22120.06981985613");
  assert.equal(computed(8.203866846174274e-16, 0), "8.2e\u221216");
  assert.equal(computed(null, 1), "not a number");
  assert.equal(computed(41, 41), "41");
  assert.equal(tolerance(0), "none");
  assert.equal(tolerance(1e-12), "1e\u221212");
});

test("the tally says what agrees, what does not, and what is to come", () => {
  assert.equal(tally([], 3, 0), "0 of 3 results agree, 3 to come.");
  assert.equal(tally([true, false], 3, 0), "1 of 3 results agree, 1 does not, 1 to come.");
  assert.equal(tally([true, true], 3, 1), "2 of 3 results agree, 1 could not be computed.");
  assert.equal(tally([true, true], 2, 0), "2 of 2 results agree.");
});
