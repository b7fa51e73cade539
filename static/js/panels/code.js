/** The program for the current config, tied to the strip: a line that cuts lights the cut edges, and the other way round. */

import * as api from "../api.js";
import { byId, make, setText } from "../lib/dom.js";
import { Newest } from "../lib/newest.js";
import { linesOf, own } from "../lib/program.js";

/**
 * @typedef {import("../state.js").Config} Config
 * @typedef {import("../lib/program.js").Written} Written
 */

export class CodePanel {
  /**
   * @param {import("../state.js").Option[]} options
   * @param {() => {x: number, cut: boolean, reset: boolean}[]} edges the strip's edges that are in sight
   */
  constructor(options, edges) {
    this.edges = edges;
    this.text = "";
    this.choice = /** @type {HTMLSelectElement} */ (byId("code-framework"));
    this.frame = /** @type {HTMLElement} */ (document.querySelector("[data-figure=strip] .strip-frame"));
    /** @type {HTMLElement[]} */
    this.cuts = [];
    this.onEdge = false;
    /** @type {Config | null} */
    this.config = null;
    this.requests = new Newest((config, signal) => api.code(this.choice.value, config, options, signal),
      (answer) => this.answered(answer), (error) => this.refused(error), { patience: 0 });
    this.panel = /** @type {HTMLDetailsElement} */ (byId("code"));
    this.choice.addEventListener("change", () => this.ask());
    this.panel.addEventListener("toggle", () => this.ask());
    byId("code-copy").addEventListener("click", () => this.copy());
  }

  /** @param {Config} config */
  show(config) {
    this.config = config;
    this.ask();
  }

  /** @private */
  ask() {
    if (this.panel.open && this.config) this.requests.ask({ ...this.config });
  }

  /**
   * Lights the lines that cut, where the marked step stands behind a cut edge.
   * @param {boolean} onEdge
   */
  mark(onEdge) {
    this.onEdge = onEdge;
    for (const line of this.cuts) line.toggleAttribute("data-lit", onEdge);
  }

  /**
   * @private
   * @param {Written} written
   */
  answered(written) {
    this.text = own(written.program, location.origin);
    const lines = linesOf(this.text, written.cut_lines).map(({ text, cut }) => (cut ? this.cutLine(text) : text));
    this.cuts = /** @type {HTMLElement[]} */ (lines.filter((line) => line instanceof HTMLElement));
    byId("code-text").replaceChildren(...lines.flatMap((line) => [line, "\n"]));
    const [first] = this.cuts;
    if (first) byId("code-text").scrollTop = first.offsetTop - byId("code-text").clientHeight / 2;
    const point = this.cuts.length ? " Point at a marked line, or go to it with Tab: the edges that it cuts light up in the strip." : " Nothing is cut.";
    setText(byId("code-sentence"), `A complete program that prints the numbers of this page.${point}`);
    setText(byId("code-checked"), written.checked);
    this.mark(this.onEdge);
    this.light();
  }

  /**
   * @private
   * @param {unknown} error
   */
  refused(error) {
    this.text = "";
    this.cuts = [];
    this.light();
    byId("code-text").replaceChildren(error instanceof Error ? error.message : String(error));
    setText(byId("code-checked"), "");
  }

  /**
   * @private
   * @param {string} text
   */
  cutLine(text) {
    const line = make("mark", { class: "cut-line", tabindex: 0 }, text);
    for (const name of ["pointerenter", "pointerleave", "focus", "blur"]) line.addEventListener(name, () => this.light());
    return line;
  }

  /**
   * Lights the cut edges in the strip while a line that cuts is pointed at or has the focus.
   * @private
   */
  light() {
    for (const light of this.frame.querySelectorAll(".cut-light")) light.remove();
    if (!this.cuts.some((line) => line.matches(":hover, :focus"))) return;
    const { height } = this.frame.getBoundingClientRect();
    for (const edge of this.edges().filter((candidate) => candidate.cut || candidate.reset)) {
      const light = make("div", { class: "cut-light" });
      Object.assign(light.style, { left: `${edge.x}px`, top: "0", height: `${height}px` });
      this.frame.append(light);
    }
  }

  /** @private */
  async copy() {
    const button = byId("code-copy");
    try {
      await navigator.clipboard.writeText(this.text);
      setText(button, "Copied");
    } catch {
      getSelection()?.selectAllChildren(byId("code-text"));
      setText(button, "Selected: press Ctrl+C");
    }
    setTimeout(() => setText(button, "Copy"), 2000);
  }
}
