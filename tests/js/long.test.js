import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { bandLabels } from "../../static/js/figures/strip-frame.js";
import { placeOf, stepAt } from "../../static/js/figures/overview.js";
import { MOST, byKey, dragged, moved, rangeOf, stretched, within } from "../../static/js/lib/range.js";
import { READOUTS } from "../../static/js/lib/readouts.js";
import { TABLES } from "../../static/js/lib/tables.js";
import { pickedLoss, stripSentence } from "../../static/js/pages/strip-source.js";

const T = 100_000;

test("page and engine share the bound of a close-up", () => {
  const text = readFileSync(new URL("../../engine/long/closeup.py", import.meta.url), "utf8");
  assert.equal(MOST, Number(text.match(/^MOST_STEPS = (\d+)$/m)?.[1]));
});

test("a range is always in the sequence, and never more than may be drawn", () => {
  for (const from of [-50, 0, 12.4, T - 3, T + 9]) {
    for (const length of [-3, 0, 1, 200, 501, T]) {
      const range = within({ from, to: from + length }, T);
      assert.ok(range.from >= 0 && range.to <= T && range.to > range.from && range.to - range.from <= MOST, JSON.stringify(range));
      assert.ok(Number.isInteger(range.from) && Number.isInteger(range.to));
    }
  }
});

test("what the address does not say has a default", () => {
  assert.deepEqual(rangeOf({ from: null, to: null }, T), { from: T - 200, to: T });
  assert.deepEqual(rangeOf({ from: 70, to: null }, T), { from: 70, to: 270 });
  assert.deepEqual(rangeOf({ from: null, to: 900 }, T), { from: 700, to: 900 });
  assert.deepEqual(rangeOf({ from: 0, to: T }, T), { from: 0, to: MOST });
});

test("a range is moved, stretched about its middle, and stops at the ends", () => {
  assert.deepEqual(moved({ from: 100, to: 300 }, -500, T), { from: 0, to: 200 });
  assert.deepEqual(stretched({ from: 100, to: 300 }, 0.5, T), { from: 150, to: 250 });
  assert.deepEqual(stretched({ from: 100, to: 300 }, 100, T), { from: 0, to: MOST });
});

test("a drag picks what lies between, the nearest steps where that is too much, in either direction", () => {
  assert.deepEqual(dragged(1000, 1300, T), { from: 1000, to: 1300 });
  assert.deepEqual(dragged(1300, 1000, T), { from: 1000, to: 1300 });
  assert.deepEqual(dragged(1000, 5000, T), { from: 4500, to: 5000 });
  assert.deepEqual(dragged(5000, 1000, T), { from: 1000, to: 1500 });
});

test("every key has its range, others none", () => {
  const range = { from: 1000, to: 1200 };
  assert.deepEqual(byKey(range, "ArrowRight", false, T), { from: 1100, to: 1300 });
  assert.deepEqual(byKey(range, "ArrowRight", true, T), { from: 11_000, to: 11_200 });
  assert.deepEqual(byKey(range, "Home", false, T), { from: 0, to: 200 });
  assert.deepEqual(byKey(range, "End", false, T), { from: T - 200, to: T });
  assert.deepEqual(byKey(range, "+", false, T), { from: 1050, to: 1150 });
  assert.equal(byKey(range, "a", false, T), null);
});

test("a step's place and a place's step belong together", () => {
  const span = { left: 10, right: 510 };
  for (const step of [0, 1, 4999, T - 1]) assert.ok(Math.abs(stepAt(placeOf(step + 0.5, T, span), T, span) - step) <= 1);
  assert.equal(stepAt(-5, T, span), 0);
  assert.equal(stepAt(9999, T, span), T - 1);
});

const closeUp = {
  first: 500, plan: { cut: [0, 1, 0], reset: [0, 0, 0], reach: [-3, 1, 1] }, config: { style: "window", p: 0 },
  sequence: { inputs: ["a", "b", "c"], targets: ["b", "c", "d"] }, words: { reach: "{s} reaches {r}.", reach_all: "{s} reaches all." },
  full: { h: [1, 2, 3] }, truncated: { h: [0.5, 2, 3] }, credit: { loss_steps: [0, 2], h: [[1, 0, 0], [0.1, 0.2, 0.3]] },
};

test("a close-up's steps bear their own numbers in words and tables", () => {
  assert.match(READOUTS.norms(closeUp, 1, 0), /^Step 501:/);
  assert.deepEqual(TABLES.norms(closeUp, 0).rows.map(([step]) => step), [500, 501, 502]);
  assert.deepEqual(TABLES.credit(closeUp, 0).columns.slice(2), ["t=500", "t=501", "t=502"]);
  assert.deepEqual(TABLES.credit(closeUp, 0).rows[0].slice(0, 2), [500, 497]);
  assert.deepEqual(pickedLoss(closeUp, 502), { s: 2, row: 1 });
  assert.match(stripSentence(closeUp, 0, 0), /^500 reaches 497\. That is before/);
  assert.match(stripSentence(closeUp, 2, 1), /^502 reaches 501\. Full BPTT would go on: 0\.1\d* arrives at step 500/);
});

test("a close-up's windows are not counted: its first is not the sequence's", () => {
  const bands = [{ from: 0, to: 9, x: 0, width: 200, index: 0 }, { from: 10, to: 19, x: 200, width: 200, index: 1 }];
  const says = (/** @type {number} */ first) => bandLabels(bands, { noun: "window", note: "", first }, 10, (text) => 6 * text.length).map(({ text }) => text);
  assert.deepEqual(says(500), ["window", "window"]);
  assert.deepEqual(says(0), ["window 1", "window 2"]);
});

test("steps without a loss have no picked one", () => {
  const none = { ...closeUp, credit: { loss_steps: [], h: [] } };
  assert.deepEqual(pickedLoss(none, 501), { s: 0, row: -1 });
  assert.match(stripSentence(none, 0, -1), /No loss/);
  assert.equal(READOUTS.credit(none, 1, -1), "");
});
