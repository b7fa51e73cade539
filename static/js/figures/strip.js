/** The strip on the page: a canvas, and what the pointer and the keys do on it. */

import { byId, setHidden } from "../lib/dom.js";
import { colour } from "./palette.js";
import { stepsThatFit } from "./strip-groups.js";
import { layoutStrip, roomOf } from "./strip-layout.js";
import { paintStrip } from "./strip-paint.js";
import { LANE, ROWS } from "./strip-rows.js";
import { blockAt, following, panned, stepAt, zoomed } from "./strip-view.js";

/**
 * @typedef {import("./strip-types.js").StripData} StripData
 * @typedef {import("./strip-types.js").StripView} StripView
 * @typedef {{pick: (step: number) => void, point: (step: number) => void, look: (from: number, to: number, resting: boolean) => void}} StripEvents
 */

export class Strip {
  /**
   * @param {HTMLElement} root
   * @param {StripEvents} events
   */
  constructor(root, events) {
    this.root = root;
    this.events = events;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("strip"));
    this.surface = /** @type {HTMLElement} */ (root.querySelector("[data-part=surface]"));
    this.cursor = /** @type {HTMLElement} */ (root.querySelector("[data-part=cursor]"));
    this.size = { width: 0, em: 16, labels: 0 };
    this.font = ""; // asked of the browser with the size: at each drawing, it would go through the page's style
    /** @type {StripData | null} */
    this.data = null;
    /** @type {StripView} */
    this.view = { s: 0, at: 0, from: 0, to: 1 };
    this.truncated = true;
    /** @type {import("./strip-types.js").Scene | null} */
    this.scene = null;
    this.step = 0;
    this.listen();
  }

  /**
   * @param {StripData} data
   * @param {StripView} view
   * @param {boolean} truncated
   */
  draw(data, view, truncated) {
    Object.assign(this, { data, view, truncated });
    this.redraw();
  }

  /** Takes the size that the page gives. */
  measure() {
    const em = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.875;
    const width = this.canvas.clientWidth;
    const changed = width !== this.size.width || em !== this.size.em;
    this.size = { width, em, labels: width > 44 * em ? 5.2 * em : 0 };
    this.font = getComputedStyle(document.body).fontFamily;
    return changed;
  }

  /**
   * Returns how many steps have room with a block each.
   * @param {StripData} data
   */
  fits(data) {
    return stepsThatFit(data, roomOf(this.size), this.size.em);
  }

  redraw() {
    if (this.data === null || this.size.width === 0) return;
    this.scene = layoutStrip(this.data, this.view, this.size);
    const ratio = window.devicePixelRatio || 1;
    const height = ROWS.height * this.size.em;
    const [pixelWidth, pixelHeight] = [Math.round(this.size.width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== pixelWidth || this.canvas.height !== pixelHeight) {
      Object.assign(this.canvas, { width: pixelWidth, height: pixelHeight });
      this.canvas.style.height = `${height}px`;
    }
    this.paint(this.canvas, ratio, null);
    this.point(this.step);
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} ratio
   * @param {string | null} background
   */
  paint(canvas, ratio, background) {
    const ctx = canvas.getContext("2d");
    if (!ctx || !this.scene || !this.data) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    if (background) {
      ctx.fillStyle = background;
      ctx.fillRect(0, 0, canvas.width, canvas.height);
    }
    paintStrip({ ctx, em: this.size.em, font: this.font }, this.scene, this.data, this.view, this.truncated);
  }

  /**
   * Marks a step.
   * @param {number} step
   */
  point(step) {
    this.step = step;
    const block = this.scene && blockAt(this.scene.blocks, step);
    setHidden(this.cursor, !block);
    if (!block) return;
    const { em } = this.size;
    Object.assign(this.cursor.style, { left: `${block.x - 0.1 * em}px`, width: `${block.width + 0.2 * em}px`, top: `${1.7 * em}px`, height: `${(ROWS.lane + LANE / 2 - 1.4) * em}px` });
  }

  /** Returns the strip as a PNG. @returns {Promise<Blob>} */
  png() {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: this.size.width * 2, height: ROWS.height * this.size.em * 2 });
    this.paint(canvas, 2, colour("surface"));
    return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG"))), "image/png"));
  }

  /**
   * @param {number} factor
   * @param {number} [about]
   */
  zoom(factor, about = this.step) {
    if (!this.data) return;
    const inside = about >= this.view.from && about < this.view.to ? about : Math.round((this.view.from + this.view.to) / 2);
    const { from, to } = zoomed(this.view, factor, inside, this.data.steps);
    this.events.look(from, to, true);
  }

  /** @param {number} share of what is in sight */
  pan(share) {
    if (!this.data) return;
    const count = this.view.to - this.view.from;
    const { from, to } = panned(this.view, Math.sign(share) * Math.max(1, Math.round(Math.abs(share) * count)), this.data.steps);
    this.events.look(from, to, true);
  }

  /**
   * Moves the view to a step that is out of sight.
   * @param {number} step
   */
  follow(step) {
    if (!this.data || (step >= this.view.from && step < this.view.to)) return;
    const { from, to } = following(this.view, step, this.data.steps);
    this.events.look(from, to, false);
  }

  /** @private */
  listen() {
    const { surface } = this;
    /** @type {{x: number, from: number, to: number, moved: boolean} | null} */
    let drag = null;
    const at = (/** @type {MouseEvent} */ event) => event.clientX - surface.getBoundingClientRect().left;
    surface.addEventListener("pointerdown", (event) => {
      drag = { x: at(event), from: this.view.from, to: this.view.to, moved: false };
      surface.setPointerCapture(event.pointerId);
    });
    surface.addEventListener("pointermove", (event) => {
      if (!this.scene || !this.data) return;
      if (drag && Math.abs(at(event) - drag.x) > 6) drag.moved = true;
      if (drag?.moved && this.view.to - this.view.from < this.data.steps) {
        const perStep = (this.scene.right - this.scene.left) / (drag.to - drag.from);
        const { from, to } = panned(drag, Math.round((drag.x - at(event)) / perStep), this.data.steps);
        if (from !== this.view.from) this.events.look(from, to, false);
      } else this.events.point(stepAt(this.scene, at(event)));
    });
    surface.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved && this.scene) this.events.pick(stepAt(this.scene, at(event)));
      if (drag?.moved) this.events.look(this.view.from, this.view.to, true);
      drag = null;
    });
    surface.addEventListener("wheel", (event) => {
      if (!event.ctrlKey || !this.scene) return;
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, stepAt(this.scene, at(event)));
    }, { passive: false });
    surface.addEventListener("keydown", (event) => this.key(event));
  }

  /**
   * @private
   * @param {KeyboardEvent} event
   */
  key(event) {
    if (event.key === "Enter" || event.key === " ") this.events.pick(this.step);
    else if (event.key === "+" || event.key === "=") this.zoom(0.5);
    else if (event.key === "-") this.zoom(2);
    else return;
    event.preventDefault();
  }
}
