/** The strip's card: the picture, its transport, its buttons and its sentence. */

import { Card } from "../figures/card.js";
import { drawKey } from "../figures/key.js";
import { Strip } from "../figures/strip.js";
import { byId, save, setText } from "../lib/dom.js";
import { pickedLoss, sightWords, stripData, stripSentence, stripView } from "./strip-source.js";
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
    this.strip = new Strip(this.card.root, { pick: (t) => page.pick(t, true), point: page.point, look: (from, to, resting) => page.look({ from, to }, resting) });
    this.transport = new Transport({ pick: page.pick, reach: (at, resting) => page.look({ at }, resting) });
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
    const acts = { "zoom-in": () => strip.zoom(0.5), "zoom-out": () => strip.zoom(2), "pan-left": () => strip.pan(-0.5), "pan-right": () => strip.pan(0.5),
      "zoom-all": () => page.look({ from: 0, to: strip.data?.steps ?? null }, true) };
    for (const [id, act] of Object.entries(acts)) byId(id).addEventListener("click", act);
  }

  /**
   * @param {any} analysis
   * @param {import("../state.js").View} chosen
   */
  draw(analysis, chosen) {
    const { s, row } = pickedLoss(analysis, chosen.s);
    const steps = analysis.plan.cut.length;
    const truncated = analysis.plan.reach.some((/** @type {number} */ r) => r > 0) || analysis.plan.window_starts.length > 1;
    if (this.strip.size.width === 0) this.strip.measure(); // later sizes come from the page: asking here would lay it out anew
    const data = stripData(analysis, s, row);
    const view = stripView(steps, s, chosen, this.strip.fits(data));
    this.strip.draw(data, view, truncated);
    this.card.say(stripSentence(analysis, s, row));
    this.transport.show(Array.from(analysis.credit.loss_steps), s, view.at);
    setText(byId("sight"), sightWords(view, steps));
    if (this.keyed !== truncated) drawKey(byId("strip-key"), truncated);
    this.keyed = truncated;
  }
}
