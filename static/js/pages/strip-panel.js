/** The strip's card: the picture, its transport, its buttons and its sentence. */

import { Card } from "../figures/card.js";
import { drawKey } from "../figures/key.js";
import { Strip } from "../figures/strip.js";
import { byId, save, setText } from "../lib/dom.js";
import { lossesOf, pickedLoss, sightWords, stripData, stripSentence, stripView } from "./strip-source.js";
import { Transport } from "./transport.js";

/**
 * @typedef {object} StripPage what the strip tells the page
 * @property {(s: number, resting: boolean) => void} pick a loss was picked
 * @property {(step: number) => void} point a step is pointed at
 * @property {(change: Partial<import("../state.js").View>, resting: boolean) => void} look the view was changed
 */

export class StripPanel {
  /** @param {StripPage} page */
  constructor(page) {
    this.card = new Card(/** @type {HTMLElement} */ (document.querySelector("[data-figure=strip]")));
    this.first = 0; // the number of the strip's first step in the whole sequence
    /** @type {import("./long.js").LongView | null} what zooms, where the strip shows a part of a long sequence */
    this.long = null;
    this.strip = new Strip(this.card.root, { pick: (t) => page.pick(t + this.first, true), point: (t) => page.point(t + this.first),
      look: (from, to, resting) => page.look({ from: from + this.first, to: to + this.first }, resting) });
    this.transport = new Transport({ pick: (s, resting) => page.pick(s + this.first, resting), reach: (at, resting) => page.look({ at: at + this.first }, resting) });
    /** @type {boolean | null} what the key says */
    this.keyed = null;
    this.card.button("png")?.addEventListener("click", async () => save("unrolled-strip.png", await this.strip.png()));
    this.listen(page);
  }

  /**
   * @private
   * @param {StripPage} page
   */
  listen(page) {
    const { strip } = this;
    const zoom = (/** @type {number} */ factor) => (this.long ?? strip).zoom(factor);
    const pan = (/** @type {number} */ share) => (this.long ?? strip).pan(share);
    const acts = { "zoom-in": () => zoom(0.5), "zoom-out": () => zoom(2), "pan-left": () => pan(-0.5), "pan-right": () => pan(0.5),
      "zoom-all": () => (this.long ? this.long.zoom(1e6) : page.look({ from: 0, to: strip.data?.steps ?? null }, true)) };
    for (const [id, act] of Object.entries(acts)) byId(id).addEventListener("click", act);
  }

  /**
   * @param {any} analysis
   * @param {import("../state.js").View} asked
   * @param {import("./long.js").LongView} long
   */
  draw(analysis, asked, long) {
    this.first = analysis.first ?? 0;
    this.long = analysis.whole ? long : null;
    const chosen = this.long ? { ...asked, at: asked.at === null ? null : Math.max(0, asked.at - this.first), from: 0, to: analysis.plan.cut.length } : asked;
    const { s, row } = pickedLoss(analysis, asked.s);
    const steps = analysis.plan.cut.length;
    const truncated = analysis.plan.reach.some((/** @type {number} */ r) => r > 0) || analysis.plan.window_starts.length > 1;
    if (this.strip.size.width === 0) this.strip.measure(); // later sizes come from the page: asking here would lay it out anew
    const data = stripData(analysis, s, row);
    const view = stripView(steps, s, chosen, this.strip.fits(data));
    this.strip.draw(data, view, truncated);
    this.card.say(stripSentence(analysis, s, row));
    this.transport.show(Array.from(lossesOf(analysis)), s, view.at, this.first);
    setText(byId("sight"), this.long ? `steps ${this.first} to ${this.first + steps - 1} of ${analysis.whole}` : sightWords(view, steps));
    if (this.keyed !== truncated) drawKey(byId("strip-key"), truncated);
    this.keyed = truncated;
  }
}
