/** The strategies that a run holds side by side: a list that can be added to, changed, and taken from. */

import { make, setText } from "../lib/dom.js";
import { applies } from "../state.js";
import { controlFor, open, words } from "./controls.js";
import { MOST_STRATEGIES, another, strategyName } from "./lab.js";
import { swatch } from "./swatch.js";

/**
 * @typedef {import("./lab.js").Strategy} Strategy
 * @typedef {import("../state.js").Option} Option
 * @typedef {import("../api.js").Problem} Problem
 */

const MAIN = ["style", "k", "k1", "k2", "p", "value"];

export class StrategyList {
  /**
   * @param {Option[]} fields
   * @param {(strategies: Strategy[]) => void} changed
   */
  constructor(fields, changed) {
    this.fields = fields;
    this.changed = changed;
    /** @type {Strategy[]} */
    this.strategies = [];
    /** @type {Row[]} */
    this.rows = [];
    this.list = make("ol", { class: "strategies" });
    this.add = make("button", { type: "button", class: "button", id: "add-strategy", click: () => this.added() }, "Add a strategy");
    this.problem = make("p", { class: "problem", role: "alert", hidden: true });
    this.element = make("fieldset", { class: "group", id: "strategies" }, make("legend", {}, "Strategies, side by side"), this.list, this.problem, this.add);
  }

  /** @param {Strategy[]} strategies */
  show(strategies) {
    this.strategies = strategies;
    while (this.rows.length > strategies.length) this.rows.pop()?.element.remove();
    while (this.rows.length < strategies.length) this.grow();
    strategies.forEach((strategy, index) => this.rows[index].show(strategy, strategies.length > 1));
    this.add.disabled = strategies.length >= MOST_STRATEGIES;
  }

  /**
   * Shows each problem beside its strategy, and returns the others.
   * @param {Problem[]} problems
   */
  complain(problems) {
    const own = problems.filter(({ field }) => field === "strategies");
    setText(this.problem, own.map(words).join(" "));
    this.problem.hidden = own.length === 0;
    const left = this.rows.reduce((rest, row) => row.complain(rest), problems);
    return left.filter((problem) => !own.includes(problem));
  }

  /** @private */
  grow() {
    const index = this.rows.length;
    const row = new Row(index, this.fields, (name, value) => this.set(this.strategies.map((one, i) => (i === index ? { ...one, [name]: value } : one))),
      () => this.set(this.strategies.filter((_, i) => i !== index)));
    this.rows.push(row);
    this.list.append(row.element);
  }

  /** @private */
  added() {
    this.set([...this.strategies, another(this.strategies, this.fields)]);
    const row = this.rows[this.rows.length - 1];
    row.details.open = true;
    row.details.querySelector("summary")?.focus();
  }

  /**
   * @private
   * @param {Strategy[]} strategies
   */
  set(strategies) {
    this.show(strategies);
    this.changed(strategies);
  }
}

/** One strategy: its name, and its choices when it is unfolded. */
class Row {
  /**
   * @param {number} index
   * @param {Option[]} fields
   * @param {(name: string, value: import("../state.js").Value) => void} report
   * @param {() => void} removed
   */
  constructor(index, fields, report, removed) {
    this.index = index;
    this.fields = fields;
    this.name = make("span", { class: "strategy-name" });
    this.remove = make("button", { type: "button", class: "button small", click: removed }, "Remove");
    this.controls = new Map(fields.map((field) => [field.name, controlFor({ ...field, name: `strategy-${index}-${field.name}`, label: LABELS[field.name] ?? field.name },
      (_, value) => report(field.name, value))]));
    const body = [...fields].sort((a, b) => Number(!MAIN.includes(a.name)) - Number(!MAIN.includes(b.name)));
    this.details = make("details", { class: "strategy" }, make("summary", {}, swatch(index), this.name),
      make("div", { class: "strategy-body" }, ...body.flatMap((field) => this.controls.get(field.name)?.element ?? []), this.remove));
    this.element = make("li", {}, this.details);
  }

  /**
   * @param {Strategy} strategy
   * @param {boolean} removable
   */
  show(strategy, removable) {
    setText(this.name, strategyName(strategy));
    this.remove.disabled = !removable;
    this.remove.setAttribute("aria-label", `Remove ${strategyName(strategy)}`);
    const values = Object.fromEntries(this.fields.map((field) => [`strategy-${this.index}-${field.name}`, strategy[field.name]]));
    for (const field of this.fields) {
      const control = this.controls.get(field.name);
      if (!control) continue;
      control.element.hidden = !applies(field, strategy);
      control.show(values);
    }
  }

  /** @param {Problem[]} problems */
  complain(problems) {
    const prefix = `strategies[${this.index}]`;
    for (const [name, control] of this.controls) {
      const mine = problems.filter(({ field }) => field === `${prefix}.${name}`);
      control.complain(mine.map(words).join(" "));
      if (mine.length) open(control.element);
    }
    return problems.filter(({ field }) => !(field.startsWith(`${prefix}.`) && this.controls.has(field.slice(prefix.length + 1))));
  }
}

/** @type {Record<string, string>} */
const LABELS = { style: "Truncation", k: "Window k (num_steps)", k1: "k1, between passes", k2: "k2, back in time", p: "Chance p of a cut",
  value: "The state, from window to window", order: "Windows come", frozen: "Keep W_hh as drawn" };
