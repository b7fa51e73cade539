/**
 * The events of a run, each once and in order. The stream is closed while nobody looks and when nothing more can
 * come, and is opened again after the last event that was taken; a server that is gone is asked again, ever more
 * rarely. The browser's own EventSource is not left to retry: it does not say that it is waiting.
 */

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;
const UNSTORED = "problem"; // what could not be stored has no id of its own: the browser says that of the event before
const KINDS = ["state", "point", "moment", "lane", "verdict", "worker", "rate", "strategy", UNSTORED];

/** @typedef {{take: (event: import("./run.js").RunEvent) => void, lost: (seconds: number) => void, back: () => void, over: () => boolean}} Listener */

export class Stream {
  /**
   * @param {(after: number) => string} address
   * @param {Listener} listener
   */
  constructor(address, listener) {
    this.address = address;
    this.listener = listener;
    this.after = 0;
    this.wait = FIRST_WAIT;
    this.closed = false;
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.looked = () => this.look();
    document.addEventListener("visibilitychange", this.looked);
    addEventListener("pagehide", this.looked);
  }

  /** Opens the stream, if somebody looks and more can come. */
  open() {
    if (this.closed || this.source || document.hidden) return;
    clearTimeout(this.timer);
    const source = new EventSource(this.address(this.after));
    this.source = source;
    for (const kind of KINDS) source.addEventListener(kind, (event) => this.took(source, /** @type {MessageEvent} */ (event)));
    source.onerror = () => this.failed(source);
  }

  /** Closes it for good. */
  close() {
    this.closed = true;
    this.pause();
    document.removeEventListener("visibilitychange", this.looked);
    removeEventListener("pagehide", this.looked);
  }

  /** Asks again now, and not only after the wait. */
  retry() {
    this.pause();
    this.open();
  }

  /** @private */
  pause() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** @private */
  look() {
    if (document.hidden) this.pause();
    else this.open();
  }

  /**
   * @private
   * @param {EventSource} source
   * @param {MessageEvent} event
   */
  took(source, event) {
    if (source !== this.source) return;
    if (this.wait !== FIRST_WAIT) this.listener.back();
    this.wait = FIRST_WAIT;
    const id = event.type === UNSTORED ? 0 : Number(event.lastEventId);
    if (Number.isFinite(id)) this.after = Math.max(this.after, id);
    this.listener.take({ id, event: event.type, data: JSON.parse(event.data) });
  }

  /**
   * The stream has ended, or the server is gone.
   * @private
   * @param {EventSource} source
   */
  failed(source) {
    if (source !== this.source) return;
    this.pause();
    if (this.closed || this.listener.over()) return;
    const wait = this.wait;
    this.wait = Math.min(LONGEST_WAIT, 2 * wait);
    this.listener.lost(wait / 1000);
    this.timer = setTimeout(() => this.open(), wait);
  }
}
