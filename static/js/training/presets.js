/** The experiments to start from: all of them in a list, the first ones as buttons of the page. */

import { make, setText } from "../lib/dom.js";
import { labOf, sameLab } from "./lab.js";

/**
 * @typedef {import("./lab.js").Lab} Lab
 * @typedef {import("./lab.js").LabCatalogue} LabCatalogue
 */

export class PresetList {
  /**
   * @param {LabCatalogue} catalogue
   * @param {(lab: Lab) => void} picked
   */
  constructor(catalogue, picked) {
    this.catalogue = catalogue;
    this.buttons = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-preset]"));
    const pick = (/** @type {string} */ name) => {
      const found = catalogue.presets.find((preset) => preset.name === name);
      if (found) picked(labOf(found.lab, catalogue));
    };
    this.select = make("select", { id: "preset", "aria-describedby": "preset-note", change: () => pick(this.select.value) },
      make("option", { value: "" }, "your own choice"), ...catalogue.presets.map(({ name, title }) => make("option", { value: name }, title)));
    this.note = make("p", { class: "choice-note", id: "preset-note" });
    this.element = make("div", { class: "control" }, make("div", { class: "control-head" }, make("label", { for: "preset" }, "Start from")), this.select, this.note);
    for (const button of this.buttons) button.addEventListener("click", () => pick(button.dataset.preset ?? ""));
  }

  /** @param {Lab} lab */
  show(lab) {
    const found = this.catalogue.presets.find((preset) => sameLab(labOf(preset.lab, this.catalogue), lab, this.catalogue));
    this.select.value = found?.name ?? "";
    setText(this.note, found?.help ?? "Changed from the experiments.");
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.preset === found?.name));
  }
}
