/** Says that a picture is still of an earlier choice: not at once, as mostly the new one is there before anybody sees. */

import { make, setText } from "../lib/dom.js";

const SOON_MS = 200;

export class Waiting {
  /** @param {HTMLElement} root the picture's card */
  constructor(root) {
    this.root = root;
    this.note = make("p", { class: "plot-note", hidden: true });
    this.buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll(".figure-tools button"));
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    root.querySelector(".plot-frame")?.append(this.note);
  }

  /** @param {boolean} waiting */
  set(waiting) {
    if (waiting) {
      this.timer ??= setTimeout(() => this.show(true), SOON_MS);
      return;
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    this.show(false);
  }

  /**
   * @private
   * @param {boolean} waiting
   */
  show(waiting) {
    if (this.note.hidden !== waiting) return;
    this.root.classList.toggle("waiting", waiting);
    this.root.setAttribute("aria-busy", String(waiting));
    this.note.hidden = !waiting;
    setText(this.note, this.root.querySelector("canvas") ? "Still of the choice before. Computing\u2026" : "Computing\u2026");
    for (const button of this.buttons) button.disabled = waiting; // nobody saves what is of another choice than the rest
  }
}
