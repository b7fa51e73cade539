import assert from "node:assert/strict";
import { test } from "node:test";

import { linePath, sameFrame } from "../../static/js/figures/plotly-live.js";

const same = (value) => value;
const figure = (y, layout = {}) => ({ data: [{ type: "scatter", x: [0, 1], y, line: { color: "red" } }], layout });

test("a line breaks where a value is no number, and may be empty", () => {
  assert.equal(linePath([0, 1, 2, 3], [5, 6, NaN, 8], same, same), "M0,5L1,6M3,8");
  assert.equal(linePath([], [], same, same), "M0,0");
  assert.equal(linePath([0], [Infinity], same, same), "M0,0");
});

test("figures that differ in their numbers alone share a frame", () => {
  assert.ok(sameFrame(figure(new Float64Array([1, 2])), figure(new Float64Array([3, NaN]))));
  assert.ok(!sameFrame(figure([1, 2]), figure([1, 2], { yaxis: { range: [0, 1] } })));
  assert.ok(!sameFrame(figure([1, 2]), { data: [], layout: {} }));
});
