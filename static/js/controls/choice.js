/** One of a few: side by side where they are few and short, else a list. */

import { make, setText } from "../lib/dom.js";
import { frame } from "./frame.js";

/** @type {Record<string, string>} */
const SHORT = { rnn: "RNN", lstm: "LSTM", gru: "GRU", carry: "carry", reset: "reset", cut: "cut", pass: "pass", true: "after", false: "before",
  every: "every step", last: "last step", uniform: "uniform", orthogonal: "orthogonal", text: "Text", copy: "Copy", adding: "Adding",
  lagged_bits: "Lagged bits", series: "Series", full: "Full BPTT", window: "Windows of k", sliding: "Sliding, k back", k1k2: "Every k1, k2 back", random: "At random, ARTBP",
  char: "character", word: "word", adam: "Adam", sgd: "SGD", adagrad: "Adagrad", norm: "norm", element: "element", off: "off", mean: "mean", sum: "sum", sequence: "sequence",
  stream: "in order", shuffled: "shuffled", float32: "float32", float64: "float64" };

/** What a switch's two sides mean. @type {Record<string, Record<string, string>>} */
const BOOLEAN = { reset_after: { true: "after the product with W_hh, PyTorch's form", false: "before it, the paper's form" } };

/**
 * @param {import("../state.js").Option} option
 * @param {import("./frame.js").Report} report
 * @returns {import("./frame.js").Control}
 */
export function choice(option, report) {
  const choices = option.choices ?? BOOLEAN[option.label ?? option.name] ?? { true: "yes", false: "no" };
  /** @param {string} key */
  const told = (key) => report(option.name, option.kind === "bool" ? key === "true" : key, true);
  return Object.keys(choices).length <= 3 ? segments(option, choices, told) : list(option, choices, told);
}

/**
 * @param {import("../state.js").Option} option
 * @param {Record<string, string>} choices
 * @param {(key: string) => void} told
 */
function segments(option, choices, told) {
  const inputs = Object.keys(choices).map((key) => make("input", { type: "radio", name: `choice-${option.name}`, value: key, change: () => told(key) }));
  const group = make("div", { class: "segments", role: "radiogroup" },
    ...inputs.map((input) => make("label", { title: choices[input.value] }, input, SHORT[input.value] ?? input.value)));
  const note = make("p", { class: "choice-note" });
  const { element, complain } = frame(option, { body: [group, note], labelled: group, group: true });
  return { name: option.name, element, complain, show(/** @type {import("../state.js").Config} */ config) {
    const key = String(config[option.name]);
    for (const input of inputs) input.checked = input.value === key;
    setText(note, choices[key] ?? "");
  } };
}

/**
 * @param {import("../state.js").Option} option
 * @param {Record<string, string>} choices
 * @param {(key: string) => void} told
 */
function list(option, choices, told) {
  const select = make("select", { change: () => told(select.value) },
    ...Object.entries(choices).map(([key, meaning]) => make("option", { value: key, title: meaning }, SHORT[key] ?? key)));
  const note = make("p", { class: "choice-note" });
  const { element, complain } = frame(option, { body: [select, note], labelled: select });
  return { name: option.name, element, complain, show(/** @type {import("../state.js").Config} */ config) {
    const key = String(config[option.name]);
    select.value = key;
    setText(note, choices[key] ?? "");
  } };
}
