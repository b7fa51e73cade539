import assert from "node:assert/strict";
import { test } from "node:test";

import { AXES, dependsOn, kInForce, nearest, withK } from "../../static/js/lib/deeper-axes.js";
import { entries, withoutKey } from "../../static/js/lib/deeper-key.js";
import { DEEPER_READOUTS, DEEPER_TABLES, tenTo } from "../../static/js/lib/deeper-tables.js";
import { DEEPER_SENTENCES, lagOf } from "../../static/js/lib/deeper-words.js";

const ANALYSIS = {
  config: { cell: "lstm" },
  plan: { cut: [0, 0, 0] },
  full: { h: [1, 2, 3] },
  bias_curve: { sliding: [0.5, 0.1, 0], sliding_blocks: { "l0.W_hh": [0.6, 0.2, 0] }, window_k: [1, 3], window: [0.7, 0], share_by_lag: [0.3, 0.2, 0.1],
    readout_share: 0.4, norm_by_lag: [1, 0.4, 0.1], smallest_k: {}, half_life: 1, sentence: "For these.",
    adaptive: { beta: 0.4, bound: [Infinity, 0.3, 0.08], chosen: 3, tolerance: 0.1 } },
  paths: { of: "c", shares: { highway: [0.9, 0.8, 0], readout: [0.1, 0.2, 1] }, rule: [0.1, 0.5, 1], truth: [1, 1, 1], factor: 10, sentence: "Paths." },
  gates: { mean: { forget: [0.5, 0.7, 0.9] }, open: { forget: [0, 0, 0.5] }, closed: { forget: [0.25, 0, 0] }, memory: [9, 4], sentence: "Gates." },
  spectrum: { steps: [1, 2], largest: [1.5, 1], smallest: [0.1, 0.2], lags: [1, 2], log10_product: [0, -400.5], log10_bound: [0.2, 0.4], lyapunov: [0.1, -Infinity],
    log_det: -Infinity, spectral_radius: { "l0.W_hh[0]": 0.5, "l0.W_hh[1]": 0.9 }, verdict: "exploding", sentence: "Spectrum." },
  draws: { p: 0.1, cosine: [0.9, 1], relative_error: [0.4, 0.1], kept: [1.1, 0.9], mean_error: 0.2, h_mean: [1, 2, 3], h_spread: [0.1, 0.2, 0], sentence: "Draws." },
};
const NAMES = ["bias_curve", "lags", "paths", "rule_1997", "gates", "memory", "spectrum", "products", "lyapunov", "draws", "draw_errors"];

test("every deeper picture has a table, a readout for each of its places, and a sentence", () => {
  for (const table of [DEEPER_TABLES, DEEPER_READOUTS, DEEPER_SENTENCES]) assert.deepEqual(Object.keys(table).sort(), [...NAMES].sort());
  for (const name of NAMES) {
    const { columns, rows, note } = DEEPER_TABLES[name](ANALYSIS);
    assert.ok(rows.length > 0 && rows.every((row) => row.length === columns.length), name);
    assert.match(note, /For these weights and these data\./);
    const places = AXES[name]?.values(ANALYSIS).length ?? 3;
    for (let i = 0; i < places; i++) assert.match(DEEPER_READOUTS[name](ANALYSIS, i), /^(k =|Step|Lag|Over|Unit|Direction|Draw)/, name);
    assert.match(DEEPER_SENTENCES[name](ANALYSIS, null), /\.$/);
  }
});

test("only draws depend on the style of truncation", () => {
  const query = new URLSearchParams("cell=rnn&style=window&k=7&value=carry&gradient=cut&seed=3");
  assert.equal(dependsOn(query, false), "cell=rnn&seed=3");
  assert.equal(dependsOn(query, true), query.toString());
});

test("the k in force is at most T, and some styles have none", () => {
  assert.equal(kInForce({ style: "window", k: 7 }, 60), 7);
  assert.equal(kInForce({ style: "sliding", k: 700 }, 60), 60);
  assert.ok(Number.isNaN(kInForce({ style: "k1k2", k: 7 }, 60)));
  const figure = { data: [{ uid: "k", x: [1, 1] }, { uid: "u0", x: [1, 2] }], layout: {} };
  assert.deepEqual(withK(figure, 9).data, [{ uid: "k", x: [9, 9], showlegend: true }, { uid: "u0", x: [1, 2] }]);
  assert.equal(withK(figure, NaN).data[0].showlegend, false);
});

test("the nearest place is by distance as it is seen", () => {
  assert.equal(nearest([1, 2, 5, 10], 0.8, true), 2);
  assert.equal(nearest([0, 1, 2], 1.6, false), 2);
  assert.equal(nearest([1, 2], -9, true), 0);
});

test("a key has what Plotly's own would have, as SVG writes it", () => {
  const data = [
    { name: "a", mode: "lines", line: { color: "red", width: 3, dash: "6px,3px" } },
    { name: "hidden", showlegend: false, mode: "lines", line: {} },
    { name: "b", mode: "markers", marker: { color: "blue" }, line: { dash: "solid" } },
    { name: "c", mode: "lines", fill: "toself", fillcolor: "pink", line: { width: 0 } },
  ];
  assert.deepEqual(entries({ data }).map(({ name, kind, color, dash }) => [name, kind, color, dash]),
    [["a", "line", "red", "6 3"], ["b", "points", "blue", "none"], ["c", "area", "pink", "none"]]);
  assert.equal(withoutKey({ data, layout: { margin: { l: 1, t: 62 } } }).layout.margin.t, 12);
});

test("powers of ten are said where no number can hold them", () => {
  assert.equal(tenTo(0), "1.00");
  assert.equal(tenTo(-400.5), "3.2e\u2212401");
  assert.equal(tenTo(-Infinity), "0");
});

test("shares add up to a part of the whole at some lag, or at none", () => {
  assert.equal(lagOf(ANALYSIS.bias_curve, 0.85), 1);
  assert.equal(lagOf({ share_by_lag: [0.1], readout_share: 0.2 }, 0.9), -1);
});

test("sentences say what is in force, and what has no answer", () => {
  const said = DEEPER_SENTENCES.bias_curve(ANALYSIS, { title: "window(20)", error: 0.25 });
  assert.match(said, /In force, window\(20\), is off by 25\s%\./);
  assert.match(said, /Adaptive truncation would go back 3/);
  assert.match(DEEPER_SENTENCES.rule_1997({ paths: { ...ANALYSIS.paths, rule: null } }, null), /LSTM of one layer/);
  assert.equal(DEEPER_SENTENCES.products({ spectrum: { ...ANALYSIS.spectrum, verdict: "undefined" } }, null), "Spectrum.");
  assert.match(DEEPER_SENTENCES.lyapunov(ANALYSIS, null), /0\.900 \(layer 0, forget gate\)/);
});
