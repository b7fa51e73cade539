import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused } from "../../static/js/api.js";
import { Matrix, awhile } from "../../static/js/pages/matrix.js";

const OPTIONS = [{ name: "style", default: "window" }, { name: "gain", default: 1 }, { name: "k", default: 2, when: ["style", ["window"]] },
  { name: "value", default: "carry", when: ["style", ["window"]] }].map((option) => ({ kind: "choice", help: "", low: null, high: null, choices: null, when: null, ...option }));
const CONFIG = { style: "window", gain: 1, k: 2, value: "carry" };
const FRAME = [{ type: "scatter", uid: "veil" }, { type: "scatter", uid: "reach" }];
const HEATMAP = { type: "heatmap", uid: "matrix" };
const CREDIT = { loss_steps: [0, 1], h: [[1, 0], [3, 4]], c: null, complete: true };
const ANSWER = { credit: CREDIT, sentence: "It shrinks.", heatmap: HEATMAP };
const answered = () => /** @type {any} */ ({ row: { loss_step: 1, loss_steps: [0, 1], h: [3, 4], c: null }, words: { credit: "" }, figures: { credit: { data: FRAME, layout: {} } } });

/** Answers after some ms, unless it is given up before. */
const after = (/** @type {number} */ ms, /** @type {AbortSignal} */ signal) => new Promise((resolve, reject) => {
  setTimeout(() => resolve(ANSWER), ms);
  signal.addEventListener("abort", () => reject(signal.reason));
});

/** @returns {{matrix: Matrix, asked: string[], came: number[], answers: any}} */
function made() {
  const asked = /** @type {string[]} */ ([]);
  const came = /** @type {number[]} */ ([]);
  const answers = { next: async (/** @type {AbortSignal} */ _) => /** @type {any} */ (ANSWER) };
  const matrix = new Matrix(/** @type {any} */ (OPTIONS), { name: "", given: null }, () => came.push(1), (config, _, signal) => {
    asked.push(`${config.style} ${config.gain} ${config.k}`);
    return answers.next(signal);
  });
  return { matrix, asked, came, answers };
}

test("until the matrix is there an analysis makes do with its row, and says so", () => {
  const { matrix } = made();
  const analysis = answered();
  assert.equal(matrix.complete(analysis, CONFIG), false);
  assert.deepEqual(analysis.credit, { loss_steps: [1], h: [[3, 4]], c: null, complete: false });
  assert.equal(analysis.awaited, true);
  assert.deepEqual(analysis.figures.credit.data, FRAME);
});

test("the matrix completes its analysis, and where only the cuts move it is not asked for again", async () => {
  const { matrix, asked, came } = made();
  await matrix.ask(CONFIG);
  await matrix.ask({ ...CONFIG, k: 7 });
  assert.deepEqual(asked, ["full 1 2"]);
  assert.equal(came.length, 1);
  const analysis = answered();
  assert.equal(matrix.complete(analysis, { ...CONFIG, k: 7 }), true);
  assert.equal(analysis.credit, CREDIT);
  assert.equal(analysis.awaited, false);
  assert.equal(analysis.words.credit, "It shrinks.");
  assert.deepEqual(analysis.figures.credit.data, [HEATMAP, ...FRAME]);
  matrix.complete(analysis, CONFIG);
  assert.equal(analysis.figures.credit.data.length, 3, "completed twice it has one heatmap");
  await matrix.ask({ ...CONFIG, value: "reset" });
  await matrix.ask({ ...CONFIG, gain: 2 });
  assert.deepEqual(asked.slice(1), ["window 1 2", "full 2 2"]);
});

test("the matrix of another choice is never taken for one's own", async () => {
  const { matrix } = made();
  await matrix.ask(CONFIG);
  const analysis = answered();
  assert.equal(matrix.complete(analysis, { ...CONFIG, gain: 2 }), false);
  assert.deepEqual(analysis.figures.credit.data, FRAME);
  matrix.trained = { name: "a moment", given: null };
  assert.equal(matrix.complete(answered(), CONFIG), false, "other weights");
});

test("a newer choice gives up the one before, whose answer then counts for nothing", async () => {
  const { matrix, came, answers } = made();
  answers.next = (/** @type {AbortSignal} */ signal) => after(20, signal);
  const first = matrix.ask(CONFIG);
  assert.equal(matrix.idle, false);
  await Promise.all([first, matrix.ask({ ...CONFIG, gain: 2 })]);
  assert.equal(came.length, 1);
  assert.equal(matrix.idle, true);
  assert.equal(matrix.complete(answered(), CONFIG), false);
  assert.equal(matrix.complete(answered(), { ...CONFIG, gain: 2 }), true);
});

test("the same choice, asked for twice, is computed once", async () => {
  const { matrix, asked, answers } = made();
  answers.next = (/** @type {AbortSignal} */ signal) => after(5, signal);
  await Promise.all([matrix.ask(CONFIG), matrix.ask({ ...CONFIG, k: 5 })]);
  assert.deepEqual(asked, ["full 1 2"]);
});

test("a matrix that takes long is not waited for, and asked for when the slider rests", async () => {
  const { matrix, asked } = made();
  assert.ok(matrix.patience > 0);
  matrix.times = [0, 1000];
  assert.ok(matrix.patience > 0, "one alone may have met something else");
  matrix.times = [1000, 1000];
  assert.equal(matrix.patience, 0);
  const coming = [1, 2, 3].map((gain) => matrix.ask({ ...CONFIG, gain }));
  await new Promise(setImmediate);
  assert.equal(asked.length, 0);
  assert.equal(matrix.idle, false);
  await Promise.all(coming);
  assert.deepEqual(asked, ["full 3 2"]);
  assert.equal(matrix.idle, true);
  assert.ok(matrix.patience > 0, "it was quick this time");
});

test("a matrix that comes soon is waited for, so that one frame has everything, and no other is", async () => {
  const { matrix, came, answers } = made();
  await matrix.soon();
  answers.next = (/** @type {AbortSignal} */ signal) => after(1, signal);
  matrix.ask(CONFIG);
  await matrix.soon();
  assert.equal(came.length, 1);
  answers.next = (/** @type {AbortSignal} */ signal) => after(400, signal);
  const slow = matrix.ask({ ...CONFIG, gain: 2 });
  await matrix.soon();
  assert.equal(matrix.idle, false, "it takes longer than a frame");
  matrix.giveUp({ ...CONFIG, gain: 3 });
  await slow;
  matrix.times = [1000, 1000];
  const late = matrix.ask({ ...CONFIG, gain: 3 });
  let waited = true;
  matrix.soon().then(() => (waited = false));
  for (let turn = 0; turn < 5; turn++) await null;
  assert.equal(waited, false, "the last ones took long");
  matrix.giveUp({ ...CONFIG, gain: 4 });
  await late;
  matrix.times = [0, 0];
  answers.next = () => Promise.reject(new TypeError("the line is cut"));
  const failed = matrix.ask({ ...CONFIG, gain: 5 });
  await matrix.soon();
  await assert.rejects(failed, TypeError, "whoever asked is told");
});

test("a matrix that is too large says so in its sentence, and none is drawn in its place", async () => {
  const { matrix, asked, came, answers } = made();
  await matrix.ask(CONFIG);
  answers.next = () => Promise.reject(new Refused({ detail: "It would take 30 s.", status: 422 }));
  await matrix.ask({ ...CONFIG, gain: 2 });
  const analysis = answered();
  assert.equal(matrix.complete(analysis, { ...CONFIG, gain: 2 }), true);
  assert.equal(came.length, 2);
  assert.equal(analysis.words.credit, "There is no credit matrix of this. It would take 30 s.");
  assert.deepEqual(analysis.figures.credit.data, FRAME);
  await matrix.ask({ ...CONFIG, gain: 2, k: 9 });
  assert.equal(asked.length, 2, "the same would be said again");
  assert.equal(matrix.complete(answered(), CONFIG), true, "what is shown meanwhile has its own");
});

test("a matrix that cannot be had just now is asked for again", async () => {
  const { matrix, asked, came, answers } = made();
  const { next } = answers;
  answers.next = () => Promise.reject(new Refused({ status: 503 }));
  await assert.rejects(matrix.ask(CONFIG), Refused);
  assert.equal(matrix.idle, true);
  assert.equal(came.length, 0);
  answers.next = next;
  await matrix.ask(CONFIG);
  assert.equal(asked.length, 2);
  assert.equal(matrix.complete(answered(), CONFIG), true);
});

test("a close-up of a long sequence has its matrix: none is asked for, and one on its way is given up", async () => {
  const { matrix, asked, came, answers } = made();
  answers.next = (/** @type {AbortSignal} */ signal) => after(20, signal);
  const before = matrix.ask(CONFIG);
  await matrix.ask({ ...CONFIG, steps: 3000 });
  assert.equal(matrix.idle, true);
  await before;
  assert.equal(asked.length, 1);
  assert.equal(came.length, 0);
  const closeup = /** @type {any} */ ({ row: null, credit: CREDIT, words: { credit: "It shrinks." }, figures: {} });
  assert.equal(matrix.complete(closeup, CONFIG), true);
  assert.equal(closeup.credit, CREDIT);
});

test("what is waited for awhile fails at once, or later to whom it concerns", async () => {
  const late = /** @type {unknown[]} */ ([]);
  const fails = (/** @type {number} */ ms) => new Promise((_, reject) => setTimeout(() => reject(new Error(`after ${ms}`)), ms));
  await assert.rejects(awhile(/** @type {any} */ (fails(1)), 1000, (error) => late.push(error)), /after 1/);
  const slow = fails(30);
  await awhile(/** @type {any} */ (slow), 1, (error) => late.push(error));
  assert.equal(late.length, 0);
  await assert.rejects(/** @type {any} */ (slow));
  assert.equal(late.length, 1);
});

test("it knows a config of which nothing more is to come: its matrix is there, or too large", async () => {
  const { matrix, answers } = made();
  assert.equal(matrix.knows(CONFIG), false);
  await matrix.ask(CONFIG);
  assert.equal(matrix.knows({ ...CONFIG, k: 7 }), true);
  assert.equal(matrix.knows({ ...CONFIG, gain: 2 }), false);
  answers.next = async () => {
    throw new Refused({ status: 422, detail: "too large" });
  };
  await matrix.ask({ ...CONFIG, gain: 2 });
  assert.equal(matrix.knows({ ...CONFIG, gain: 2 }), true);
});
