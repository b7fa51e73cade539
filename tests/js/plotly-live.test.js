import assert from "node:assert/strict";
import { test } from "node:test";

import { ticksOf } from "../../static/js/figures/live-ticks.js";
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

test("an axis may have another range where it says itself what its ticks are", () => {
  const axis = (range, more = {}) => figure([1, 2], { yaxis: { type: "log", range, tickvals: [1], ticktext: ["1"], ...more } });
  assert.ok(sameFrame(axis([0, 1]), axis([-3, 2], { tickvals: [0.1, 10], ticktext: ["0.1", "10"] })));
  assert.ok(!sameFrame(axis([0, 1]), axis([0, 2], { ticktext: undefined })), "Plotly chooses the words");
  assert.ok(!sameFrame(axis([0, 1]), axis([0, 1], { type: "linear" })));
  const cells = (range) => ({ ...axis(range), data: [{ type: "heatmap", z: [[1]] }] });
  assert.ok(!sameFrame(cells([0, 1]), cells([0, 2])), "cells stand where Plotly has its axes");
});

test("a heatmap may have another scale where the ticks of its bar stay in their places", () => {
  const heatmap = (most, ticks, more = {}) => ({ layout: {}, data: [{ type: "heatmap", z: [[1]], zmin: -most, zmax: most,
    colorbar: { tickvals: ticks, ticktext: ticks.map(String) }, ...more }] });
  assert.ok(sameFrame(heatmap(0.1, [-0.1, -0.05, 0, 0.05, 0.1]), heatmap(0.25, [-0.25, -0.125, 0, 0.125, 0.25])));
  assert.ok(!sameFrame(heatmap(1, [-1, 0, 1]), heatmap(2, [-1, 0, 1])), "they would move");
  assert.ok(!sameFrame(heatmap(1, [-1, 0, 1]), heatmap(1, [-1, 1])), "one less");
  assert.ok(!sameFrame(heatmap(1, [-1, 1], { colorbar: {} }), heatmap(2, [-2, 2], { colorbar: {} })), "Plotly chooses the ticks");
  const bare = (most) => heatmap(most, [], { colorbar: undefined, showscale: false });
  assert.ok(sameFrame(bare(1), bare(2)), "there is no bar");
});

test("ticks stand where Plotly would have them, and none beyond the range", () => {
  const plot = { _offset: 40, _length: 200 };
  const axis = { type: "log", range: [0, 2], tickvals: [0.1, 1, 10, 100], ticktext: ["0.1", "1", "10", "100"] };
  assert.deepEqual(ticksOf(plot, axis, false), [{ at: 240, words: "1", inside: false }, { at: 140, words: "10", inside: true },
    { at: 40, words: "100", inside: false }]);
  assert.deepEqual(ticksOf(plot, { range: [-1, 3], tickvals: [0], ticktext: ["none"] }, true), [{ at: 90, words: "none", inside: true }]);
});
