/** Keeps a run up to date: its events as they come, its summary now and then, and what to say when the server is gone. */

import { Refused } from "../api.js";
import { Run } from "./run.js";
import * as service from "./service.js";
import { Stream } from "./stream.js";

const ASK_MS = 2000; // how often the remaining time is asked for while a run goes on

/**
 * @typedef {{changed: (kinds: Set<string>) => void, said: (text: string) => void}} Page changed: what kinds of events
 *   have come since the last call, at most once a frame; said: what is wrong with the connection, "" for nothing
 */

export class Watch {
  /**
   * @param {any} summary
   * @param {Page} page
   */
  constructor(summary, page) {
    this.page = page;
    this.run = new Run(summary);
    /** @type {Set<string>} */
    this.kinds = new Set();
    this.frame = 0;
    this.closed = false;
    this.stream = new Stream(service.eventsAddress(this.run.id), { take: (event) => this.took(event), lost: (seconds) => this.lost(seconds),
      back: () => page.said(""), over: () => this.run.over && this.run.caughtUp });
    this.timer = setInterval(() => this.ask(), ASK_MS);
    this.stream.open();
  }

  close() {
    this.closed = true;
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.stream.close();
  }

  /** Takes a summary that an action was answered with; the stream is opened again where more may come. */
  adopt(/** @type {any} */ summary) {
    this.run.describe(summary);
    this.tell("state");
    if (!this.run.resting) this.stream.retry();
  }

  /**
   * @private
   * @param {import("./run.js").RunEvent} event
   */
  took(event) {
    if (this.run.take(event)) this.tell(event.event);
  }

  /**
   * Tells the page once a frame, however many events there were.
   * @private
   * @param {string} kind
   */
  tell(kind) {
    this.kinds.add(kind);
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      const { kinds } = this;
      this.kinds = new Set();
      this.frame = 0;
      this.page.changed(kinds);
    });
  }

  /**
   * @private
   * @param {number} seconds
   */
  async lost(seconds) {
    try {
      this.run.describe(await service.summary(this.run.id));
      this.tell("state");
      if (!this.closed) this.page.said("");
    } catch (error) {
      if (this.closed) return;
      if (error instanceof Refused && error.status === 404) {
        this.close();
        this.page.said("This run is not kept any more.");
      } else this.page.said(`The server does not answer. If it has stopped, start it again: the run is kept, and nothing is lost. Asking again in ${seconds} s.`);
    }
  }

  /** @private */
  async ask() {
    if (document.hidden || !["running", "queued"].includes(this.run.status)) return;
    try {
      this.run.describe(await service.summary(this.run.id));
      this.tell("state");
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error; // the stream notices a lost server by itself
    }
  }
}
