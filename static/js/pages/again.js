/** Asks again by itself when the server could not answer: at once when the network is back, else ever more rarely. */

import { Refused } from "../api.js";

const FIRST_S = 1;
const LONGEST_S = 15;
const BUSY = [429, 502, 503, 504];

export class Again {
  /** @param {() => void} ask */
  constructor(ask) {
    this.ask = ask;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    addEventListener("online", () => this.timer !== undefined && this.now());
  }

  /**
   * Returns after how many seconds the question is asked again, or null where the answer would be the same.
   * @param {unknown} error
   */
  later(error) {
    this.stop();
    const seconds = pause(error, this.failures);
    if (seconds === null) return null;
    this.failures += 1;
    this.timer = setTimeout(() => this.now(), 1000 * seconds);
    return seconds;
  }

  /** Forgets what failed: an answer has come. */
  done() {
    this.stop();
    this.failures = 0;
  }

  /** Gives up the next try: something newer is asked. */
  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** @private */
  now() {
    this.stop();
    this.ask();
  }
}

/**
 * Returns the seconds to wait: what the server asks for, or twice as long each time; null for an error that stays.
 * @param {unknown} error
 * @param {number} failures before this one
 */
export function pause(error, failures) {
  const backOff = Math.min(LONGEST_S, FIRST_S * 2 ** failures);
  if (error instanceof TypeError) return backOff;
  return error instanceof Refused && BUSY.includes(error.status) ? Math.max(error.retryAfter ?? 0, backOff) : null;
}
