/** All pictures of a run: asked for at most twice a second while it goes on, drawn together, marked together. */

import { loadPlotly } from "../figures/plotly-host.js";
import { byId } from "../lib/dom.js";
import { Newest } from "../lib/newest.js";
import { distance, turn } from "../lib/turns.js";
import { PictureCard } from "./picture-card.js";
import * as service from "./service.js";

const APART_MS = 500;

/** @typedef {{seed: number, measure: string}} Chosen */

export class Pictures {
  /**
   * @param {{plotly: string, point: (tokens: number) => void, keys: (surface: HTMLElement) => void, failed: (error: unknown) => void,
   *   drawn: (verdict: any) => void}} page verdict: of what is drawn, preliminary while the run goes on
   */
  constructor(page) {
    this.page = page;
    /** @type {Map<string, PictureCard>} */
    this.cards = new Map();
    this.asked = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.requests = new Newest((/** @type {{id: string, chosen: Chosen}} */ { id, chosen }, signal) => service.pictures(id, chosen, signal),
      (answer, { id }) => this.answered(answer, id), (error) => page.failed(error), { patience: 10_000 });
    this.id = "";
    /** @type {Map<string, import("./picture-card.js").Picture>} what has come and is not drawn yet */
    this.waiting = new Map();
    this.drawing = false;
    /** @type {[number, number, number] | null} the marked moment: tokens, index, last index */
    this.marked = null;
    turn(false).then(() => loadPlotly(page.plotly)); // before it is needed: it is 5 MB
  }

  /**
   * Asks for a run's pictures as they are now, or a little later where they have just been asked for.
   * @param {string} id
   * @param {Chosen} chosen
   */
  ask(id, chosen) {
    if (id !== this.id) this.clear();
    this.id = id;
    clearTimeout(this.timer);
    const wait = this.asked + APART_MS - performance.now();
    this.timer = setTimeout(() => {
      this.asked = performance.now();
      this.requests.ask({ id, chosen });
    }, Math.max(0, wait));
  }

  /** Forgets a run that is no longer shown. */
  clear() {
    clearTimeout(this.timer);
    this.requests.cancel();
    this.waiting.clear();
    this.marked = null;
    for (const [name, card] of this.cards) {
      if (name.startsWith("probe_")) card.root.remove();
      else card.root.hidden = true;
    }
    for (const name of [...this.cards.keys()]) if (name.startsWith("probe_")) this.cards.delete(name);
    this.id = "";
  }

  /**
   * @private
   * @param {{pictures: Record<string, import("./picture-card.js").Picture>, verdict: any}} answer
   * @param {string} id
   */
  async answered({ pictures, verdict }, id) {
    const plotly = await loadPlotly(this.page.plotly);
    if (id !== this.id) return;
    for (const [name, picture] of Object.entries(pictures)) {
      this.card(name, plotly);
      this.waiting.set(name, picture);
    }
    for (const card of this.cards.values()) if (!(card.name in pictures)) card.root.hidden = true;
    this.page.drawn(verdict);
    if (!this.drawing) await this.drawAll();
  }

  /**
   * Draws what has come, what is in sight first; the rest when the page has nothing else to do.
   * @private
   */
  async drawAll() {
    this.drawing = true;
    try {
      while (this.waiting.size) {
        const cards = [...this.waiting.keys()].flatMap((name) => this.cards.get(name) ?? []);
        const next = cards.reduce((best, one) => (distance(one.root) < distance(best.root) ? one : best));
        await turn(distance(next.root) === 0);
        const picture = this.waiting.get(next.name);
        this.waiting.delete(next.name);
        if (!picture) continue;
        next.show(picture);
        if (this.marked) next.mark(...this.marked);
      }
    } finally {
      this.drawing = false;
    }
  }

  /**
   * @private
   * @param {string} name
   * @param {any} plotly
   */
  card(name, plotly) {
    let card = this.cards.get(name);
    if (!card) {
      const root = name.startsWith("probe_") ? probePlace(name) : /** @type {HTMLElement | null} */ (document.querySelector(`[data-figure="${name}"]`));
      if (!root) throw new Error(`the page has no place for the picture ${name}`);
      root.hidden = false;
      card = new PictureCard(root, plotly, this.page);
      this.cards.set(name, card);
    }
    card.root.hidden = false;
    return card;
  }

  /**
   * @param {number} tokens
   * @param {number} index
   * @param {number} last
   */
  mark(tokens, index, last) {
    this.marked = [tokens, index, last];
    for (const card of this.cards.values()) card.mark(tokens, index, last);
  }

  refresh() {
    for (const card of this.cards.values()) if (!card.root.hidden) card.refresh();
  }
}

/** @param {string} name */
function probePlace(name) {
  const template = /** @type {HTMLTemplateElement} */ (byId("probe-template"));
  const root = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild);
  root.dataset.figure = name;
  const heading = root.querySelector("h2");
  if (heading) heading.id = `title-${name}`;
  root.setAttribute("aria-labelledby", `title-${name}`);
  byId("probes").append(root);
  return root;
}
