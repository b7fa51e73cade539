import assert from "node:assert/strict";
import { test } from "node:test";

import { bandLabels } from "../../static/js/figures/strip-frame.js";
import { stepsThatFit } from "../../static/js/figures/strip-groups.js";
import { layoutStrip } from "../../static/js/figures/strip-layout.js";
import { blockAt, following, panned, sightOf, stepAt, zoomed } from "../../static/js/figures/strip-view.js";
import { edgeWeight, keptCredit } from "../../static/js/lib/weights.js";

const EM = 14;
const DESK = { width: 1040, em: EM, labels: 5.2 * EM };
const TELEPHONE = { width: 290, em: EM, labels: 0 };

/** A sequence in windows of k steps, the gradient of the last loss everywhere 1. */
function windows(steps, k) {
  const starts = Array.from({ length: Math.ceil(steps / k) }, (_, i) => i * k);
  const cut = Array.from({ length: steps }, (_, t) => (t > 0 && t % k === 0 ? 1 : 0));
  const reach = Array.from({ length: steps }, (_, s) => s - (s % k));
  const row = new Float64Array(steps).fill(1);
  return { steps, inputs: [], targets: [], losses: new Set([steps - 1]), starts, noun: "window", note: "", cut, reset: new Uint8Array(steps), reach, row, kept: row };
}

function whole(steps, k, size) {
  return layoutStrip(windows(steps, k), { s: steps - 1, at: 0, from: 0, to: steps }, size);
}

for (const steps of [2, 5, 60, 100, 2000]) for (const k of [1, 3, 20, 5000]) for (const size of [DESK, TELEPHONE]) {
  test(`T=${steps}, k=${k}, ${size.width} px: every step has its block, none is a sliver, none lies on another`, () => {
    const { blocks } = whole(steps, k, size);
    assert.equal(blocks[0].from, 0);
    assert.equal(blocks.at(-1).to, steps - 1);
    blocks.forEach((block, i) => {
      assert.ok(block.width >= 0.6 * EM, `${block.width}`);
      if (i) assert.equal(block.from, blocks[i - 1].to + 1);
      if (i) assert.ok(block.x >= blocks[i - 1].x + blocks[i - 1].width);
    });
    assert.ok(blocks.at(-1).x + blocks.at(-1).width <= size.width);
  });
}

test("scissors never lie on each other, and the picked loss has its own", () => {
  for (const k of [1, 2, 3, 5, 20]) for (const steps of [60, 100, 2000]) {
    const { edges } = whole(steps, k, DESK);
    const large = edges.filter((edge) => edge.large).sort((a, b) => a.x - b.x);
    large.forEach((edge, i) => assert.ok(i === 0 || edge.x - large[i - 1].x >= 1.5 * EM - 1e-9));
    assert.equal(edges.filter((edge) => edge.picked && edge.large).length, 1);
  }
});

test("where no edge is cut for all losses, the picked one is cut where its own reach ends", () => {
  const data = { ...windows(60, 60), reach: Array.from({ length: 60 }, (_, s) => Math.max(0, s - 19)) };
  for (const s of [59, 30]) {
    const { edges } = layoutStrip(data, { s, at: 0, from: 0, to: 60 }, DESK);
    assert.deepEqual(edges.map(({ step, cut, large }) => ({ step, cut, large })), [{ step: s - 19, cut: true, large: true }]);
  }
  assert.equal(layoutStrip(data, { s: 10, at: 0, from: 0, to: 60 }, DESK).edges.length, 0);
});

test("a block that hides cuts counts them", () => {
  const { edges, across, group } = whole(2000, 20, DESK);
  assert.ok(across && group >= 20);
  assert.equal(edges.reduce((sum, edge) => sum + edge.count, 0), 99);
});

test("a gradient that is not a number is drawn as infinite, what is not reached is not kept", () => {
  const data = windows(8, 4);
  data.row = data.kept = Float64Array.from([1, 1, 1, 1, NaN, 1, 1, 1]);
  const { blocks } = layoutStrip(data, { s: 7, at: 2, from: 0, to: 8 }, DESK);
  assert.deepEqual(blocks.map(({ kept }) => kept), [NaN, NaN, NaN, NaN, Infinity, 1, 1, 1]);
  assert.deepEqual(blocks.map(({ lost }) => lost), [NaN, NaN, 1, 1, NaN, NaN, NaN, NaN]);
});

test("names of windows do not run into each other", () => {
  const widthOf = (text) => text.length * 7;
  for (const width of [10, 20, 40, 200]) {
    const bands = Array.from({ length: 30 }, (_, index) => ({ from: 0, to: 0, x: index * width, width, index }));
    const labels = bandLabels(bands, { noun: "window", note: "" }, EM, widthOf);
    assert.ok(labels.length >= 3);
    labels.forEach(({ x, text }, i) => assert.ok(i === 0 || x - widthOf(text) / 2 >= labels[i - 1].x + widthOf(labels[i - 1].text) / 2));
  }
});

test("a long sequence opens where the picked loss is, and follows its backward pass", () => {
  assert.deepEqual(sightOf({ s: 59, at: null }, 60, 68), { from: 0, to: 60 });
  assert.deepEqual(sightOf({ s: 1999, at: null }, 2000, 70), { from: 1930, to: 2000 });
  assert.deepEqual(sightOf({ s: 500, at: null }, 2000, 70), { from: 500, to: 570 });
  assert.deepEqual(sightOf({ s: 1999, at: 100 }, 2000, 70), { from: 100, to: 170 });
  assert.ok(stepsThatFit(windows(2000, 20), 960, EM) > 60);
  assert.ok(stepsThatFit(windows(60, 20), 270, EM) > 20, "a window and the cut before it fit a telephone");
});

test("zoom and pan stay within the sequence and keep the step under the pointer", () => {
  assert.deepEqual(zoomed({ from: 0, to: 100 }, 0.5, 50, 100), { from: 25, to: 75 });
  assert.deepEqual(zoomed({ from: 0, to: 10 }, 0.1, 3, 100), { from: 2, to: 7 });
  assert.deepEqual(zoomed({ from: 20, to: 60 }, 100, 30, 100), { from: 0, to: 100 });
  assert.deepEqual(panned({ from: 10, to: 20 }, -30, 100), { from: 0, to: 10 });
  assert.deepEqual(panned({ from: 10, to: 20 }, 300, 100), { from: 90, to: 100 });
  assert.deepEqual(following({ from: 10, to: 20 }, 20, 100), { from: 11, to: 21 });
  assert.deepEqual(following({ from: 10, to: 20 }, 15, 100), { from: 10, to: 20 });
});

test("a place in the strip is a step, also within a block of many", () => {
  const scene = whole(2000, 20, DESK);
  for (const step of [0, 777, 1999]) {
    const block = blockAt(scene.blocks, step);
    assert.ok(step >= block.from && step <= block.to);
    assert.equal(blockAt(scene.blocks, stepAt(scene, block.middle)), block);
  }
  assert.equal(blockAt(scene.blocks, 2000), undefined);
});

test("an edge that random cuts leave counts more than once", () => {
  const analysis = { config: { style: "random", gradient: "cut", p: 0.5 }, plan: { reach: [0, 0, 0, 2] } };
  assert.equal(edgeWeight(analysis), 2);
  assert.equal(keptCredit(analysis, 2, 0, 0.25), 1);
  assert.equal(keptCredit(analysis, 3, 1, 0.25), 0);
  assert.equal(edgeWeight({ config: { style: "window" } }), 1);
  assert.equal(edgeWeight({ config: { style: "random", gradient: "pass", p: 0.5 } }), 1);
});
