import assert from "node:assert/strict";
import { test } from "node:test";

import { applies, configOf, configQuery, creditConfig, defaults, fromSearch, sameConfig, toSearch, wholeView } from "../../static/js/state.js";

/** @type {(name: string, kind: string, value: any, when?: any) => any} */
const option = (name, kind, value, when = null) => ({ name, kind, help: "", default: value, low: null, high: null, choices: null, when });
const OPTIONS = [
  option("cell", "choice", "lstm"), option("hidden", "int", 32), option("reset_after", "bool", true, ["cell", ["gru"]]),
  option("gain", "float", 1), option("task", "choice", "text"), option("text", "text", "", ["task", ["text"]]),
  option("series", "series", [], ["task", ["series"]]), option("style", "choice", "window"), option("k", "int", 20, ["style", ["window", "sliding"]]),
];
const DEFAULT = { config: defaults(OPTIONS), view: wholeView() };
const state = (config, view = {}) => ({ config: { ...DEFAULT.config, ...config }, view: { ...DEFAULT.view, ...view } });

test("the default view has an empty query, and the whole link says all that applies", () => {
  assert.equal(toSearch(DEFAULT, OPTIONS), "");
  assert.equal(toSearch(DEFAULT, OPTIONS, { whole: true }), "?cell=lstm&hidden=32&gain=1&task=text&style=window&k=20");
});

test("a state comes back from its own query", () => {
  for (const chosen of [
    state({ k: 7, cell: "gru", reset_after: false, gain: 0.5 }, { s: 12, at: 3, from: 0, to: 20, q: "carry" }),
    state({ task: "series", series: "1,2.5,-3" }), state({ text: "a & b = c\n\u00e9\u4e2d" }),
  ]) {
    for (const whole of [false, true]) assert.deepEqual(fromSearch(toSearch(chosen, OPTIONS, { whole }), OPTIONS), { state: chosen, unknown: [] });
  }
});

test("a value that cannot be read is kept as it was written, for the server to refuse", () => {
  const { state: read } = fromSearch("?k=abc&hidden=1e999&gain=&reset_after=maybe", OPTIONS);
  assert.deepEqual([read.config.k, read.config.hidden, read.config.gain, read.config.reset_after], ["abc", "1e999", "", "maybe"]);
});

test("unknown names are named, and a view that makes no sense is left out", () => {
  const { state: read, unknown } = fromSearch("?hiden=3&s=-4&from=1e9&q=<b>&to=9", OPTIONS);
  assert.deepEqual(unknown, ["hiden"]);
  assert.deepEqual(read.view, { s: null, at: null, from: null, to: 9, q: "", deep: "", moment: "" });
});

test("a long text stays out of the address", () => {
  assert.equal(toSearch(state({ text: "x".repeat(3000), k: 5 }), OPTIONS), "?k=5");
});

test("options that do not apply neither count nor appear", () => {
  const full = { ...DEFAULT.config, style: "full" };
  assert.equal(applies(OPTIONS[8], full), false);
  assert.ok(sameConfig({ ...full, k: 3 }, full, OPTIONS));
  assert.ok(!sameConfig({ ...DEFAULT.config, k: 3 }, DEFAULT.config, OPTIONS));
  assert.equal(configQuery(full, OPTIONS).get("k"), null);
});

test("where no state is reset the credit matrix is that of the run without a cut", () => {
  const cut = { ...DEFAULT.config, style: "window", value: "carry" };
  assert.equal(configQuery(creditConfig(cut), OPTIONS).get("k"), null);
  assert.ok(sameConfig(creditConfig(cut), creditConfig({ ...cut, k: 3 }), OPTIONS));
  assert.deepEqual(creditConfig({ ...cut, value: "reset" }), { ...cut, value: "reset" });
});

test("a preset's strings become values, and what it leaves out the default", () => {
  const config = configOf({ cell: "gru", hidden: "16", reset_after: "false", style: "full" }, OPTIONS);
  assert.deepEqual([config.hidden, config.reset_after, config.gain, config.series], [16, false, 1, ""]);
});

test("a moment of a training run is a view like any other, if it can be one", () => {
  const moment = "zRNPRckQ-n4FT8gYAnst6A.0.3.12000";
  assert.equal(fromSearch(`?moment=${moment}`, OPTIONS).state.view.moment, moment);
  for (const wrong of ["", "a.0.1", "a.0.1.2.3", "../x.0.1.2", "a.0.1.-2", "a b.0.1.2"]) {
    assert.equal(fromSearch(`?moment=${encodeURIComponent(wrong)}`, OPTIONS).state.view.moment, "");
  }
});
