/** What is wrong, each said until it is mended: a choice, the address, the connection, the run, its pictures. */

import { notice } from "../pages/messages.js";

/** @typedef {"address" | "choice" | "connection" | "run" | "pictures"} Source */

export class Notices {
  constructor() {
    /** @type {Map<Source, string>} */
    this.said = new Map();
  }

  /**
   * @param {Source} source
   * @param {string} text "" where nothing is wrong any more
   */
  say(source, text) {
    this.said.set(source, text);
    notice([...new Set(this.said.values())].filter(Boolean).join(" "));
  }

  /** Nothing is wrong: another run, or another experiment, is shown. */
  clear() {
    this.said.clear();
    notice("");
  }
}
