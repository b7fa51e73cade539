/** The form of a run: its strategies, its main options, and the rest under "more"; built from the catalogue. */

import { make } from "../lib/dom.js";
import { applies } from "../state.js";
import { controlFor, open, words } from "./controls.js";
import { LAB_GROUPS } from "./groups.js";
import { PresetList } from "./presets.js";
import { StrategyList } from "./strategies.js";

/**
 * @typedef {import("./lab.js").Lab} Lab
 * @typedef {import("../controls/frame.js").Control} Control
 */

export class Form {
  /**
   * @param {HTMLElement} root
   * @param {import("./lab.js").LabCatalogue} catalogue
   * @param {(lab: Lab) => void} changed
   */
  constructor(root, catalogue, changed) {
    this.catalogue = catalogue;
    this.changed = changed;
    /** @type {Lab} */
    this.lab = { config: {}, strategies: [] };
    /** @type {Map<string, Control>} */
    this.controls = new Map(catalogue.options.map((option) => [option.name, controlFor(option, (name, value) => this.choose(name, value))]));
    this.strategies = new StrategyList(catalogue.strategy_options, (strategies) => this.set({ ...this.lab, strategies }));
    this.presets = new PresetList(catalogue, (lab) => this.set(lab));
    root.append(this.presets.element, this.strategies.element, ...this.groups());
  }

  /** @param {Lab} lab */
  show(lab) {
    this.lab = lab;
    this.presets.show(lab);
    this.strategies.show(lab.strategies);
    for (const option of this.catalogue.options) {
      const control = this.controls.get(option.name);
      if (!control) continue;
      control.element.hidden = !applies(option, lab.config);
      control.show(lab.config);
    }
  }

  /**
   * Shows each problem beside its control, and returns those that no control is to blame for.
   * @param {import("../api.js").Problem[]} problems
   */
  complain(problems) {
    for (const [name, control] of this.controls) {
      const mine = problems.filter((problem) => problem.field === name);
      control.complain(mine.map(words).join(" "));
      if (mine.length) open(control.element);
    }
    return this.strategies.complain(problems).filter((problem) => !this.controls.has(problem.field));
  }

  /**
   * Says of a text or a series that is too long to be shown that a new run would not have it.
   * @param {Record<string, number>} sizes
   */
  leftOut(sizes) {
    for (const [name, size] of Object.entries(sizes)) {
      this.controls.get(name)?.complain(`This run has its own ${name}, too long to be shown (${size.toLocaleString("en")}). Give it again to start a new run with it; else it has the built-in one.`);
    }
  }

  /**
   * @private
   * @param {string} name
   * @param {import("../state.js").Value} value
   */
  choose(name, value) {
    this.set({ ...this.lab, config: { ...this.lab.config, [name]: value } });
  }

  /**
   * @private
   * @param {Lab} lab
   */
  set(lab) {
    this.show(lab);
    this.changed(lab);
  }

  /** @private */
  groups() {
    const placed = new Set(LAB_GROUPS.flatMap((group) => [...group.options, ...(group.more ?? [])]));
    const rest = [...this.controls.keys()].filter((name) => !placed.has(name));
    const all = rest.length ? [...LAB_GROUPS, { title: "Other", options: rest, more: [] }] : LAB_GROUPS;
    return all.map(({ title, options, more = [] }) => {
      const place = (/** @type {string[]} */ names) => names.flatMap((name) => this.controls.get(name)?.element ?? []);
      const folded = place(more);
      return make("fieldset", { class: "group" }, make("legend", {}, title), ...place(options),
        folded.length ? make("details", { class: "more" }, make("summary", {}, `More of the ${title.toLowerCase()}`), make("div", {}, ...folded)) : null);
    });
  }
}
