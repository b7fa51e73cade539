/** Says that a picture is still of an earlier choice: not at once, as mostly the new one is there before anybody sees. */

import { make, setAttribute, setText } from "../lib/dom.js";

const SOON_MS = 200;

export class Waiting {
  /** @param {HTMLElement} root the picture's card */
  constructor(root) {
    this.root = root;
    this.note = make("p", { class: "plot-note", hidden: true });
    this.buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll(".figure-tools button"));
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.computing = false;
    root.querySelector(".plot-frame")?.append(this.note);
  }

  /** @param {boolean} waiting */
  set(waiting) {
    this.computing = waiting;
    if (waiting) {
      this.say();
      this.timer ??= setTimeout(() => this.show(true), SOON_MS);
      return;
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    this.show(false);
  }

  /** The new one cannot be had for now: the page says elsewhere why, and when it asks again. */
  rest() {
    this.computing = false;
    this.say();
  }

  /**
   * @private
   * @param {boolean} waiting
   */
  show(waiting) {
    if (this.note.hidden !== waiting) return;
    this.root.classList.toggle("waiting", waiting);
    this.note.hidden = !waiting;
    this.say();
    for (const button of this.buttons) button.disabled = waiting; // nobody saves what is of another choice than the rest
  }

  /** @private */
  say() {
    const old = this.root.querySelector("canvas") ? "Still of the choice before." : "";
    setText(this.note, this.computing ? `${old} Computing\u2026`.trim() : old || "Not there yet.");
    setAttribute(this.root, "aria-busy", this.computing && !this.note.hidden);
  }
}
