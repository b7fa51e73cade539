/** The column of controls, built from the catalogue. */

import { make, setHidden, setText } from "../lib/dom.js";
import { applies, configOf, sameConfig } from "../state.js";
import { choice } from "./choice.js";
import { GROUPS } from "./names.js";
import { number } from "./number.js";
import { text } from "./text.js";

/**
 * @typedef {{name: string, title: string, help: string, config: Record<string, any>}} Preset
 * @typedef {{options: import("../state.js").Option[], presets: Preset[], questions: Preset[]}} Catalogue
 * @typedef {import("../state.js").Config} Config
 */

/**
 * Fills the column, and returns how to show a config and what is wrong with it.
 * @param {HTMLElement} root
 * @param {Catalogue} catalogue
 * @param {import("./frame.js").Report} report
 * @param {(config: Config) => void} replaced a whole config was picked
 */
export function panel(root, catalogue, report, replaced) {
  const { options } = catalogue;
  const controls = new Map(options.filter(hasChoice).map((option) => [option.name, controlOf(option, report)]));
  const presets = presetList(catalogue, replaced);
  root.append(presets.element, ...groupsOf(options).map((group) => groupElement(group, controls)));
  return {
    /** @param {Config} config */
    show(config) {
      presets.show(config);
      for (const option of options) {
        const control = controls.get(option.name);
        if (!control) continue;
        setHidden(control.element, !applies(option, config));
        control.show(config);
      }
    },
    /**
     * Shows each problem beside its control, and returns those that no control is to blame for.
     * @param {import("../api.js").Problem[]} problems
     */
    complain(problems) {
      for (const [name, control] of controls) {
        const mine = problems.filter((problem) => problem.field === name);
        control.complain(mine.map((problem) => `${problem.value}: ${problem.limit}. ${problem.remedy}`).join(" "));
        if (mine.length) control.element.closest("details")?.setAttribute("open", "");
      }
      return problems.filter((problem) => !controls.has(problem.field));
    },
  };
}

/** @param {import("../state.js").Option} option */
function hasChoice(option) {
  return option.kind !== "choice" || Object.keys(option.choices ?? {}).length > 1;
}

/**
 * @param {import("../state.js").Option} option
 * @param {import("./frame.js").Report} report
 */
function controlOf(option, report) {
  if (option.kind === "int" || option.kind === "float") return number(option, report);
  if (option.kind === "text" || option.kind === "series") return text(option, report);
  return choice(option, report);
}

/** @param {import("../state.js").Option[]} options */
function groupsOf(options) {
  const placed = new Set(GROUPS.flatMap((group) => [...group.options, ...(group.more ?? [])]));
  const rest = options.map((option) => option.name).filter((name) => !placed.has(name));
  return rest.length ? [...GROUPS, { title: "Other", options: rest }] : GROUPS;
}

/**
 * @param {{title: string, options: string[], more?: string[]}} group
 * @param {Map<string, import("./frame.js").Control>} controls
 */
function groupElement(group, controls) {
  /** @param {string[]} names */
  const elements = (names) => names.flatMap((name) => controls.get(name)?.element ?? []);
  const main = elements(group.options);
  const more = elements(group.more ?? []);
  if (main.length + more.length === 0) return "";
  return make("fieldset", { class: "group" }, make("legend", {}, group.title), ...main,
    more.length ? make("details", { class: "more" }, make("summary", {}, `More of the ${group.title.toLowerCase()}`), make("div", {}, ...more)) : null);
}

/**
 * @param {Catalogue} catalogue
 * @param {(config: Config) => void} replaced
 */
function presetList({ presets, options }, replaced) {
  const select = make("select", { id: "preset", "aria-describedby": "preset-note", change: () => {
    const preset = presets.find((candidate) => candidate.name === select.value);
    if (preset) replaced(configOf(preset.config, options));
  } }, make("option", { value: "" }, "your own choice"), ...presets.map((preset) => make("option", { value: preset.name }, preset.title)));
  const note = make("p", { class: "choice-note", id: "preset-note" });
  const element = make("div", { class: "control" }, make("div", { class: "control-head" }, make("label", { for: "preset" }, "Start from")), select, note);
  return { element, show(/** @type {Config} */ config) {
    const found = presets.find((preset) => sameConfig(configOf(preset.config, options), config, options));
    select.value = found?.name ?? "";
    setText(note, found?.help ?? "Changed from the presets.");
  } };
}
