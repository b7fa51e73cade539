/** A card whose picture Plotly draws, with the step under the pointer marked over it. */

import { make, save, setHidden } from "../lib/dom.js";
import { Card } from "./card.js";
import { PlotlyHost } from "./plotly-host.js";

export class Chart extends Card {
  /**
   * @param {HTMLElement} root
   * @param {any} plotly
   * @param {(step: number) => void} point
   */
  constructor(root, plotly, point) {
    super(root);
    if (!this.plot) throw new Error(`the picture ${this.name} has no place for its plot`);
    this.host = new PlotlyHost(plotly, this.plot);
    this.row = make("div", { class: "cursor-row", hidden: true });
    this.cursor.after(this.row);
    this.timed = this.name !== "costs";
    if (this.timed) this.surface.addEventListener("pointermove", (event) => {
      const axis = this.host.timeAxis();
      if (axis) point(stepUnder(axis, event.clientX - this.surface.getBoundingClientRect().left));
    });
    this.button("png")?.addEventListener("click", async () => save(`unrolled-${this.name}.png`, await this.host.png()));
  }

  /**
   * Marks a step, and in the credit matrix the picked loss.
   * @param {number} step
   * @param {number | null} loss
   */
  mark(step, loss) {
    const axis = this.timed ? this.host.timeAxis() : null;
    setHidden(this.cursor, axis === null);
    if (axis === null) return;
    const perStep = axis.width / (axis.range[1] - axis.range[0]);
    const left = axis.left + (step - 0.5 - axis.range[0]) * perStep;
    Object.assign(this.cursor.style, { left: `${left}px`, width: `${Math.max(1, perStep)}px`, top: `${axis.top}px`, height: `${axis.height}px` });
    setHidden(this.row, loss === null);
    if (loss === null) return;
    const [top, bottom] = [this.host.placeY(loss + 0.5), this.host.placeY(loss - 0.5)];
    if (top === null || bottom === null) return;
    const low = Math.min(bottom, axis.top + axis.height);
    const high = Math.max(top, axis.top);
    Object.assign(this.row.style, { left: `${axis.left}px`, width: `${axis.width}px`, top: `${high}px`, height: `${Math.max(3, low - high)}px` });
  }
}

/**
 * @param {{left: number, width: number, range: number[]}} axis
 * @param {number} x
 */
function stepUnder({ left, width, range }, x) {
  const step = Math.round(range[0] + ((x - left) / width) * (range[1] - range[0]));
  return Math.min(Math.round(range[1] - 0.5), Math.max(Math.round(range[0] + 0.5), step));
}
