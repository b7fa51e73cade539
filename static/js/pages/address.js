/** The whole view in the address: one entry of the history for each choice on which the person settled. */

import { fromSearch, tooLong, toSearch } from "../state.js";

const STILL_MS = 160; // while a control moves, the address follows once it pauses: the browser takes 1 to 8 ms for each

export class Address {
  /** @param {import("../state.js").Option[]} options */
  constructor(options) {
    this.options = options;
    /** @type {string} the query of the last entry that was pushed */
    this.pushed = location.search;
    /** Whether the entry in force is that of a control that still moves. */
    this.moving = false;
    /** @type {{kept: object, place: string} | null} what the entry in force does not hold yet */
    this.late = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    addEventListener("pagehide", () => this.catchUp());
  }

  /** Returns the state that the address holds, and the names in it that mean nothing. */
  read() {
    const { state, unknown } = fromSearch(location.search, this.options);
    return { state: restored(state), unknown };
  }

  /**
   * Returns the state after the person went back or forward.
   * @returns {import("../state.js").State}
   */
  returned() {
    this.late = null;
    this.pushed = location.search;
    this.moving = false;
    return this.read().state;
  }

  /**
   * Writes the state: a new entry when the person has settled on it. While a control moves, after a pause.
   * @param {import("../state.js").State} state
   * @param {boolean} resting
   */
  write(state, resting) {
    const search = toSearch(state, this.options, { whole: state.view.moment !== "" });
    const kept = { config: state.config };
    const place = location.pathname + search;
    if (!this.moving && search !== this.pushed) history.pushState(kept, "", place);
    else this.replace(kept, place, resting);
    this.moving = !resting;
    if (resting) this.pushed = search;
  }

  /**
   * @private
   * @param {object} kept
   * @param {string} place
   * @param {boolean} now
   */
  replace(kept, place, now) {
    clearTimeout(this.timer);
    this.late = { kept, place };
    if (now) this.catchUp();
    else this.timer = setTimeout(() => this.catchUp(), STILL_MS);
  }

  /** @private */
  catchUp() {
    if (this.late) history.replaceState(this.late.kept, "", this.late.place);
    this.late = null;
  }

  /**
   * Writes the state over the entry in force: nothing that the person chose is new.
   * @param {import("../state.js").State} state
   */
  settle(state) {
    this.moving = true;
    this.write(state, true);
  }

  /**
   * Returns a link that shows the same numbers even where other defaults hold, and says what is too long for it.
   * @param {import("../state.js").State} state
   * @param {(words: string) => void} say
   */
  link(state, say) {
    const names = tooLong(state);
    if (names.length) say(`The link does not hold your ${names.join(" and ")}, which is too long for an address: opened elsewhere it shows the default one.`);
    return location.origin + location.pathname + toSearch(state, this.options, { whole: true });
  }
}

/**
 * Returns the state with what was too long for the address, which the history keeps.
 * @param {import("../state.js").State} state
 */
function restored(state) {
  const kept = history.state?.config;
  if (!kept) return state;
  const long = Object.fromEntries(["text", "series"].flatMap((name) => (kept[name] && !state.config[name] ? [[name, kept[name]]] : [])));
  return { ...state, config: { ...state.config, ...long } };
}
