import assert from "node:assert/strict";
import { test } from "node:test";

import { labFrom, labQuery, runOf } from "../../static/js/training/address.js";
import { statusWords } from "../../static/js/training/bar.js";
import { estimateWords } from "../../static/js/training/estimate.js";
import { another, asBody, labOf, sameLab, strategyName } from "../../static/js/training/lab.js";
import { rowWords } from "../../static/js/training/row-words.js";
import { Run, duration, measured, momentAt, momentsOf } from "../../static/js/training/run.js";

const option = (name, kind, value, more = {}) => ({ name, kind, help: "", default: value, low: null, high: null, choices: null, when: null, ...more });
const FIELDS = [option("style", "choice", "window"), option("k", "int", 20, { when: ["style", ["window", "sliding"]] }), option("k1", "int", 10, { when: ["style", ["k1k2"]] }),
  option("k2", "int", 20, { when: ["style", ["k1k2"]] }), option("p", "float", 0.05, { when: ["style", ["random"]] }),
  option("value", "choice", "carry", { when: ["style", ["window", "sliding", "k1k2", "random"]] }), option("order", "choice", "stream"), option("frozen", "bool", false)];
const OPTIONS = [option("cell", "choice", "lstm"), option("hidden", "int", 64), option("task", "choice", "text"), option("text", "text", "", { when: ["task", ["text"]] }),
  option("series", "series", [], { when: ["task", ["series"]] }), option("tokens", "int", 1000), option("seeds", "int", 3), option("seed", "int", 0)];
const PRESET = { name: "first", title: "First", help: "", lab: { hidden: 32, strategies: [{ style: "window", k: 5 }, { style: "window", k: 5, value: "reset" }] } };
const CATALOGUE = { options: OPTIONS, strategy_options: FIELDS, presets: [PRESET] };
const SUMMARY = { id: "r1", status: "running", last_event: 4, own: true, remaining_seconds: 12.4,
  lab: { task: "text", vocabulary: "char", tokens: 100, seeds: 2, seed: 3, strategies: [{ style: "window", k: 5, value: "carry" }] } };

test("a lab keeps what it holds and is sent without what does not apply", () => {
  const lab = labOf(PRESET.lab, CATALOGUE);
  const body = asBody(lab, CATALOGUE);
  assert.equal(body.hidden, 32);
  assert.ok(!("text" in body) && !("series" in body));
  assert.deepEqual(body.strategies[1], { style: "window", k: 5, value: "reset", order: "stream", frozen: false });
  assert.ok(sameLab(lab, { ...lab, strategies: lab.strategies.map((one) => ({ ...one, p: 0.9 })) }, CATALOGUE));
  assert.ok(!sameLab(lab, { ...lab, config: { ...lab.config, hidden: 33 } }, CATALOGUE));
});

test("columns of a series are typed as they are given: one on a line, several as CSV", () => {
  assert.equal(labOf({ task: "series", series: [[1, 2.5, -3]] }, CATALOGUE).config.series, "1,2.5,-3");
  assert.equal(labOf({ task: "series", series: [[1, 2], [3, 4]] }, CATALOGUE).config.series, "1,3\n2,4");
  assert.equal(labOf({ task: "series", series: [] }, CATALOGUE).config.series, "");
});

test("strategies are named as the engine names them", () => {
  const names = [{ style: "window", k: 5, value: "carry" }, { style: "full", value: "carry" }, { style: "k1k2", k1: 3, k2: 7, value: "reset" },
    { style: "random", p: 0.1, value: "carry", order: "shuffled" }, { style: "sliding", k: 4, value: "carry", frozen: true }].map(strategyName);
  assert.deepEqual(names, ["window(5), state carried", "full BPTT", "k1k2(3, 7), state reset", "random(0.1), state carried, windows shuffled",
    "sliding(4), state carried, W_hh frozen"]);
});

test("an added strategy is none that is there", () => {
  let list = labOf(PRESET.lab, CATALOGUE).strategies;
  while (list.length < 8) list = [...list, another(list, FIELDS)];
  assert.equal(new Set(list.map(strategyName)).size, 8);
  assert.equal(strategyName(another([{ style: "full", value: "carry", k: 20 }], FIELDS)), "window(20), state carried");
});

test("the address holds what differs from the first experiment, and reads it again", () => {
  const lab = labOf(PRESET.lab, CATALOGUE);
  assert.equal(labQuery(lab, CATALOGUE), "");
  const changed = { config: { ...lab.config, tokens: 500 }, strategies: [{ ...lab.strategies[0], k: 9 }] };
  const query = labQuery(changed, CATALOGUE);
  assert.ok(!query.includes("hidden"));
  const read = labFrom(query, CATALOGUE);
  assert.ok(sameLab(read.lab, changed, CATALOGUE));
  assert.equal(read.problem, "");
});

test("a long text stays out of the address", () => {
  const lab = labOf({ ...PRESET.lab, text: "ab".repeat(5000) }, CATALOGUE);
  assert.ok(labQuery(lab, CATALOGUE).length < 100);
});

test("an address that makes no sense is said to, and shows the first experiment", () => {
  for (const wrong of ["{", "[]", "3", '{"strategies":[]}', '{"strategies":[1]}', '{"strategies":{}}']) {
    const { lab, problem } = labFrom(`?lab=${encodeURIComponent(wrong)}`, CATALOGUE);
    assert.match(problem, /cannot be read/);
    assert.ok(sameLab(lab, labOf(PRESET.lab, CATALOGUE), CATALOGUE));
  }
  assert.match(labFrom(`?lab=${encodeURIComponent('{"hiden":3}')}`, CATALOGUE).problem, /hiden/);
  assert.equal(runOf("/train/abc_-9"), "abc_-9");
  assert.equal(runOf("/train"), "");
  assert.equal(runOf("/train/a/b"), "");
});

test("a run has begun when there is something to draw, or nothing to come", () => {
  const fresh = new Run({ ...SUMMARY, tokens: 0 });
  assert.ok(!fresh.begun);
  fresh.take({ id: 1, event: "state", data: { status: "running" } });
  assert.ok(!fresh.begun);
  fresh.take({ id: 2, event: "moment", data: { lane: "0.3", tokens: 0 } });
  assert.ok(fresh.begun);
  assert.ok(new Run({ ...SUMMARY, tokens: 40 }).begun);
  assert.ok(new Run({ ...SUMMARY, tokens: 0, status: "cancelled" }).begun);
});

test("a run takes each event once, in order, and knows how far it is", () => {
  const run = new Run(SUMMARY);
  assert.deepEqual([...run.lanes.keys()], ["0.3", "0.4"]);
  const point = (tokens) => ({ lane: "0.3", tokens, update: 1, loss: 2, rate: 0.1, seconds: 1 });
  assert.ok(run.take({ id: 1, event: "point", data: point(10) }));
  assert.ok(run.take({ id: 2, event: "point", data: point(50) }));
  assert.ok(!run.take({ id: 1, event: "point", data: point(10) }));
  assert.equal(run.share, 0.25);
  assert.ok(run.take({ id: 0, event: "worker", data: { note: "A process died." } }));
  assert.equal(run.note, "A process died.");
  assert.ok(run.take({ id: 0, event: "problem", data: { status: "paused", note: "The disk is full." } }));
  assert.match(statusWords(run), /^Paused at .*The disk is full\.$/);
  assert.ok(!run.caughtUp);
  run.take({ id: 3, event: "lane", data: { lane: "0.3", status: "diverged", reason: "" } });
  run.take({ id: 4, event: "state", data: { status: "done" } });
  assert.ok(run.caughtUp && run.over && run.resting);
  assert.equal(run.lanes.get("0.3").ended, "diverged");
});

test("moments are found by their tokens", () => {
  const run = new Run(SUMMARY);
  for (const [id, tokens] of [[1, 0], [2, 40], [3, 80]]) run.take({ id, event: "moment", data: { lane: "0.3", tokens, sample: `at ${tokens}` } });
  assert.deepEqual(momentsOf(run, 3), [0, 40, 80]);
  assert.deepEqual(momentsOf(run, 4), []);
  assert.equal(momentAt(run.lanes.get("0.3"), 1).sample, "at 40");
  assert.equal(momentAt(run.lanes.get("0.3"), 7).sample, "at 80");
  assert.equal(momentAt(run.lanes.get("0.4"), 1), null);
});

test("each status has its words, with an honest remaining time", () => {
  const run = new Run(SUMMARY);
  assert.equal(statusWords(run), "Training: 0\u00a0% of 200 characters, about 12 s left.");
  for (const [status, words] of [["queued", /^Waiting for its turn/], ["paused", /^Paused at/], ["done", /^Done: 200 characters in all\.$/], ["cancelled", /^Stopped at.*is kept/],
    ["interrupted", /can be resumed/], ["failed", /^Failed at/]]) assert.match(statusWords(new Run({ ...SUMMARY, status })), words);
  assert.match(statusWords(new Run({ ...SUMMARY, status: "failed", note: "Out of memory." })), /Out of memory\./);
  assert.doesNotMatch(statusWords(new Run({ ...SUMMARY, remaining_seconds: null })), /left/);
});

test("durations and losses in words", () => {
  assert.deepEqual([0.2, 5.4, 300, 9000, null, NaN].map(duration), ["less than a second", "5 s", "5 min", "2.5 h", "", ""]);
  const cost = { bytes: 3e6, seconds: 80, processes: 2, unwatched_seconds: 0 };
  assert.equal(estimateWords(cost), "Takes about 40 s in 2 processes and 6 MiB of memory.");
  assert.equal(estimateWords({ ...cost, unwatched_seconds: 60 }), `${estimateWords(cost)} When nobody has looked at it for 60 s, it is paused.`);
  const lab = { task: "text", vocabulary: "word" };
  assert.deepEqual(measured(Math.LN2, lab, "bits"), { value: 1, unit: "bits per word" });
  assert.equal(measured(0, lab, "perplexity").value, 1);
  assert.equal(measured(2, { task: "adding" }, "bits").unit, "half the squared error");
  assert.ok(Number.isNaN(measured(null, lab, "nats").value));
});

test("a moment's numbers are those of the nearest row, without those who have not come there", () => {
  const table = { columns: ["characters", "carried", "reset"], rows: [[0, 4.5, 4.4], [1000, 3.25, null], [2000, null, NaN]], note: "" };
  assert.equal(rowWords(table, 200), "After 0 characters: carried 4.50; reset 4.40.");
  assert.equal(rowWords(table, 1400), "After 1,000 characters: carried 3.25.");
  assert.equal(rowWords(table, 9000), "");
  assert.equal(rowWords({ columns: [], rows: [] }, 0), "");
});
