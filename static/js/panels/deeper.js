/** The deeper panels: each is computed when it is opened, and anew when the config changes while it is open. */

import * as api from "../api.js";
import { dependsOn, kInForce, withK } from "../lib/deeper-axes.js";
import { setText } from "../lib/dom.js";
import { Newest } from "../lib/newest.js";
import { configQuery } from "../state.js";
import { DeeperPicture } from "./deeper-picture.js";

const REST_MS = 200; // after so long without a change, open panels ask anew

/**
 * @typedef {import("../state.js").Config} Config
 * @typedef {import("../lib/deeper-words.js").InForce} InForce
 * @typedef {{options: import("../state.js").Option[], trained: {name: string, given: import("../api.js").Given}, plotly: () => Promise<any>, point: (step: number) => void,
 *   keys: (surface: HTMLElement) => void, opened: (names: string) => void}} Page what the panels need of their page
 */

/** One panel: a <details> with its pictures, and the request that fills them. */
class Panel {
  /**
   * @param {HTMLDetailsElement} root
   * @param {Page} page
   * @param {() => void} toggled
   */
  constructor(root, page, toggled) {
    this.root = root;
    this.page = page;
    this.name = root.dataset.panel ?? "";
    this.include = root.dataset.include ?? "";
    this.problem = /** @type {HTMLElement} */ (root.querySelector("[data-part=problem]"));
    /** @type {DeeperPicture[]} */
    this.pictures = [];
    /** @type {Config | null} */
    this.config = null;
    /** @type {InForce} */
    this.inForce = null;
    /** @type {any} the last good answer */
    this.analysis = null;
    this.step = 0;
    this.asked = ""; // what the last request, or its answer, depends on
    this.requests = new Newest((/** @type {Config} */ config, signal) => api.diagnostics(this.include, config, page.options, signal, page.trained.given),
      (answer) => this.answered(answer), (error) => this.refused(error), { busy: (busy) => this.busy(busy) });
    root.addEventListener("toggle", () => {
      toggled();
      if (root.open) this.opened();
      else this.closed();
    });
  }

  /** @private */
  opened() {
    const template = this.root.querySelector("template");
    template?.replaceWith(...renamed(template.content).children);
    this.ask();
    this.refresh();
  }

  /** @private */
  closed() {
    if (this.requests.idle) return;
    this.asked = "";
    this.requests.cancel();
  }

  /** Asks for what the config needs, if the panel is open and it is not here already. */
  ask() {
    if (this.config === null) return;
    const applies = this.root.dataset.when === undefined || this.root.dataset.when === this.config.style;
    this.root.hidden = !applies;
    if (!this.root.open || !applies) return;
    const wanted = this.page.trained.name + dependsOn(configQuery(this.config, this.page.options), this.root.dataset.when !== undefined);
    if (wanted === this.asked) return;
    this.asked = wanted;
    this.requests.ask({ ...this.config });
  }

  /**
   * @private
   * @param {any} answer
   */
  async answered(answer) {
    const plotly = await this.page.plotly();
    if (this.pictures.length === 0) {
      this.pictures = [...this.root.querySelectorAll("[data-deeper]")].map((root) =>
        new DeeperPicture(/** @type {HTMLElement} */ (root), plotly, this.page));
    }
    this.analysis = answer;
    this.complain("");
    for (const picture of this.pictures) picture.show(answer, this.figure(picture.name), this.inForce);
    this.mark(this.step);
  }

  /**
   * @private
   * @param {string} name
   */
  figure(name) {
    const figure = this.analysis.figures[name];
    return name === "bias_curve" ? withK(figure, kInForce(this.config ?? {}, this.analysis.plan.cut.length)) : figure;
  }

  /**
   * @private
   * @param {unknown} error
   */
  refused(error) {
    this.asked = "";
    const problems = error instanceof api.Refused ? error.problems : [];
    const text = problems.map((problem) => `${problem.field} = ${problem.value}: ${problem.limit}. ${problem.remedy}`).join(" ");
    const kept = this.analysis ? " The pictures below are of the last choice that could be computed." : "";
    this.complain((text || `${error instanceof Error ? error.message : String(error)}.`) + kept);
    if (!(error instanceof api.Refused) && !(error instanceof TypeError)) throw error;
  }

  /** @param {string} text */
  complain(text) {
    setText(this.problem, text);
    this.problem.hidden = text === "";
    this.root.toggleAttribute("data-stale", text !== "");
  }

  /** @param {boolean} busy */
  busy(busy) {
    this.root.setAttribute("aria-busy", String(busy));
  }

  /** Moves what follows the truncation in force without a new answer: the marked k, and the sentence. */
  follow() {
    if (!this.root.open || !this.analysis) return;
    for (const picture of this.pictures.filter(({ name }) => name === "bias_curve")) {
      picture.draw(this.figure(picture.name));
      picture.say(this.inForce);
    }
  }

  /** @param {number} step */
  mark(step) {
    this.step = step;
    if (this.root.open) for (const picture of this.pictures) picture.mark(step);
  }

  refresh() {
    if (!this.root.open) return;
    for (const picture of this.pictures) picture.refresh();
    this.mark(this.step);
  }
}

/**
 * Returns the pictures of a template, no longer under the name by which the page finds its own.
 * @param {DocumentFragment} content
 */
function renamed(content) {
  for (const root of /** @type {NodeListOf<HTMLElement>} */ (content.querySelectorAll("[data-figure]"))) {
    root.dataset.deeper = root.dataset.figure;
    root.removeAttribute("data-figure");
  }
  return content;
}

/**
 * Returns the panels of the page's section.
 * @param {HTMLElement} root
 * @param {Page} page
 */
export function mount(root, page) {
  const toggled = () => page.opened(panels.filter((panel) => panel.root.open).map(({ name }) => name).join("_"));
  const panels = [...root.querySelectorAll("details[data-panel]")].map((one) => new Panel(/** @type {HTMLDetailsElement} */ (one), page, toggled));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  return {
    /**
     * Takes the config that the page shows, and what its truncation costs.
     * @param {Config} config
     * @param {InForce} inForce
     */
    show(config, inForce) {
      clearTimeout(resting);
      const first = panels.some((panel) => panel.config === null);
      for (const panel of panels) {
        Object.assign(panel, { config: { ...config }, inForce });
        panel.follow();
      }
      const ask = () => panels.forEach((panel) => panel.ask());
      if (first) ask();
      else resting = setTimeout(ask, REST_MS);
    },
    /** @param {number} step */
    mark: (step) => panels.forEach((panel) => panel.mark(step)),
    refresh: () => panels.forEach((panel) => panel.refresh()),
    /** @param {string} names those that shall be open, joined by "_" */
    open: (names) => panels.forEach((panel) => (panel.root.open = names.split("_").includes(panel.name))),
  };
}
