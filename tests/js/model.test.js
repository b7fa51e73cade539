import assert from "node:assert/strict";
import { test } from "node:test";

import { facts, MODEL_READOUTS, MODEL_TABLES, stepsOf } from "../../static/js/lib/model-tables.js";

/** A trace of four steps, cut before step 2 in c and not in h; window(2) was declared. */
const VIEW = {
  about: { tool: "a tap", framework: "a framework", rows: ["lstm.h", "lstm.c"], batch: 3, windows: [0, 2], verified: { outputs: 1e-7 } },
  short: { "lstm.h": "h", "lstm.c": "c" }, steps: 4, stride: 1, plan: { cut: [0, 0, 0, 0] },
  loss: { per_step: [1, NaN, 0.5, 0.25] },
  grad: { "lstm.h": [0.1, 0.2, 0.3, 0.4], "lstm.c": [1, 2, 3, NaN] }, state: {},
  credit: { "lstm.h": { loss_steps: [1, 3], h: [[0.5, 1, 0, 0], [0.125, 0.25, 0.5, 1]] } },
  reach: { losses: [1, 3], expected: [0, 2], found: [0, 0], by_row: { "lstm.h": [0, 0], "lstm.c": [0, -1] }, differs: [0, 1] },
  updates: { first: [0, 1], before: [2, 4], after: [1, 1], memory: [2 ** 20, 3 * 2 ** 20] },
  parameters: { names: ["W"], before: [4], after: [1] },
};
const PLACE = { at: 1, loss: 1, row: "lstm.h" };

test("the table of credit has what each loss should reach, what it does, and the numbers", () => {
  const { columns, rows } = MODEL_TABLES.credit(VIEW, PLACE);
  assert.deepEqual(columns, ["loss step", "should reach", "reaches", "in h", "in c", "verdict", "t=0", "t=1", "t=2", "t=3"]);
  assert.deepEqual(rows, [[1, 0, 0, 0, 0, "", 0.5, 1, 0, 0], [3, 2, 0, 0, "nowhere", "differs", 0.125, 0.25, 0.5, 1]]);
});

test("without a declaration nothing should be reached", () => {
  const view = { ...VIEW, reach: { ...VIEW.reach, expected: null, differs: [0, 0] }, credit: {} };
  assert.deepEqual(MODEL_TABLES.credit(view, PLACE).columns, ["loss step", "reaches", "in h", "in c", "verdict"]);
  assert.equal(MODEL_READOUTS.credit(view, PLACE), "The loss at step 3 reaches step 1.");
});

test("the readout of credit says whether it should be so", () => {
  assert.equal(MODEL_READOUTS.credit(VIEW, PLACE), "The loss at step 3 reaches step 1, and should not. The norm of its gradient there is 0.250.");
  assert.equal(MODEL_READOUTS.credit(VIEW, { ...PLACE, at: 2 }), "The loss at step 3 reaches step 2, as it should. The norm of its gradient there is 0.500.");
  assert.equal(MODEL_READOUTS.credit(VIEW, { ...PLACE, at: 3, loss: 0 }), "Step 3 comes after the loss at step 1: nothing flows there.");
  const early = { ...VIEW, reach: { ...VIEW.reach, found: [0, 3] }, credit: {} };
  assert.equal(MODEL_READOUTS.credit(early, { ...PLACE, at: 2 }), "The loss at step 3 does not reach step 2, but should.");
});

test("rows over the steps go by their short names", () => {
  assert.deepEqual(MODEL_TABLES.grad(VIEW, PLACE).columns, ["step", "h", "c"]);
  assert.deepEqual(MODEL_TABLES.grad(VIEW, PLACE).rows[3], [3, 0.4, NaN]);
  assert.equal(MODEL_READOUTS.grad(VIEW, { ...PLACE, at: 3 }), "Step 3: h 0.400, c not a number.");
  assert.equal(MODEL_READOUTS.loss(VIEW, PLACE), "Step 1: not a number.");
});

test("a column that stands for several steps says which", () => {
  const view = { ...VIEW, steps: 11, stride: 3 };
  assert.equal(stepsOf(view, 3), "9 to 10");
  assert.equal(MODEL_READOUTS.loss(view, { ...PLACE, at: 7 }), "Steps 6 to 8: 0.500.");
  assert.deepEqual(MODEL_TABLES.loss(view, PLACE).columns, ["steps", "loss"]);
});

test("updates and parameters stand in one table", () => {
  assert.deepEqual(MODEL_TABLES.parameters(VIEW, PLACE).rows, [["update 0", 2, 1], ["update 1", 4, 1], ["W", 4, 1]]);
  assert.deepEqual(MODEL_TABLES.memory(VIEW, PLACE).rows, [[0, 1], [1, 3]]);
  assert.equal(MODEL_READOUTS.parameters(VIEW, PLACE), "Update 1: before clipping 4.00, after 1.00.");
  assert.equal(MODEL_READOUTS.memory(VIEW, PLACE), "Update 1: 3.00 MiB.");
});

test("the facts name everything that the trace says of itself", () => {
  assert.equal(facts(VIEW), "a tap, a framework; 4 steps; forward passes begin at 0, 2; states: lstm.h, lstm.c; batch of 3; outputs agree to 1.0e\u22127.");
});
