import assert from "node:assert/strict";
import { test } from "node:test";

import { READOUTS } from "../../static/js/lib/readouts.js";
import { SENTENCES } from "../../static/js/lib/sentences.js";
import { TABLES } from "../../static/js/lib/tables.js";

const floats = (...values) => new Float64Array(values);
/** Three steps, cut and reset before the third; the losses at steps 1 and 2 have rows. */
const ANALYSIS = {
  config: { style: "window", gradient: "cut" },
  sequence: { inputs: ["a", " ", "c"], targets: [" ", "c", ""], loss_steps: [1, 2] },
  plan: { cut: [0, 0, 1], reset: [0, 0, 1], reach: [0, 0, 2], window_starts: [0, 2] },
  credit: { loss_steps: [1, 2], h: [floats(0.25, 0.5, 0), floats(0.1, 0.2, 0.4)], complete: true },
  full: { h: floats(1, 2, 4), c: null, contributions: { W: floats(1, 1, 1) } },
  truncated: { h: floats(1, 1, 4), c: null, contributions: { W: floats(1, 0.5, 1) } },
  carry_over: { carried: floats(1, 1, 1), reset: floats(1, 1, 2), distance: floats(0, 0, 0.5), loss_carried: floats(NaN, 1, 2), loss_reset: floats(NaN, 1, 3),
    units_carried: [floats(0, 0), floats(0, 0), floats(0.5, -0.5)], units_reset: [floats(0, 0), floats(0, 0), floats(0.25, 0.5)] },
  costs: { whole: cost(0.9), blocks: { W: cost(0.8), b: cost(NaN) } },
  words: { norms: "n", credit: "c", carry_over: "o", costs: "k" },
};

function cost(cosine) {
  return { cosine, angle: 10, kept: 1, relative_error: 0.1, norm_truncated: 1, norm_full: 1 };
}

test("every table has as many cells in each row as columns", () => {
  for (const [name, table] of Object.entries(TABLES)) {
    const { columns, rows } = table(ANALYSIS, 1);
    assert.ok(rows.length > 0, name);
    for (const row of rows) assert.equal(row.length, columns.length, name);
  }
});

test("the strip's table has the picked loss, full and cut", () => {
  const { columns, rows } = TABLES.strip(ANALYSIS, 1);
  assert.deepEqual(columns.slice(-2), ["full |dL_2/dh|", "truncated |dL_2/dh|"]);
  assert.deepEqual(rows.map((row) => row.slice(-2)), [[0.1, 0], [0.2, 0], [0.4, 0.4]]);
  assert.deepEqual(TABLES.strip(ANALYSIS, 0).rows[2].slice(-2), ["", ""], "after the loss nothing flows, which is not zero");
});

test("a table keeps what is not a number", () => {
  assert.ok(Number.isNaN(TABLES.carry_over(ANALYSIS, 0).rows[0][4]));
  assert.ok(Number.isNaN(TABLES.costs(ANALYSIS, 0).rows[2][1]));
});

test("every picture reads out the marked step", () => {
  for (const [name, read] of Object.entries(READOUTS)) assert.ok(read(ANALYSIS, 0, 1).length > 10, name);
  assert.match(READOUTS.strip(ANALYSIS, 0, 1), /full 0\.100, truncated 0, cut off/);
  assert.match(READOUTS.strip(ANALYSIS, 2, 0), /does not depend on it/);
  assert.match(READOUTS.credit(ANALYSIS, 2, 1), /0\.400, reached/);
});

test("every picture has its sentence", () => {
  for (const name of Object.keys(TABLES)) if (name !== "strip") assert.ok(SENTENCES[name](ANALYSIS).length > 0, name);
  assert.match(SENTENCES.contributions(ANALYSIS), /step 1 of W: its term has norm 0\.500 instead of 1\.00/);
  assert.match(SENTENCES.carry_units(ANALYSIS), /step 2 finds its units up to 1\.00 away/);
});
