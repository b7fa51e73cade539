/** The weights of a moment of a training run, in place of drawn ones: fetched once, named on the page, left by a button. */

import { Refused } from "../api.js";
import { byId, make } from "../lib/dom.js";
import { configOf } from "../state.js";
import { strategyName, tokenWord } from "../training/lab.js";
import * as service from "../training/service.js";

/** @typedef {import("../state.js").State} State */

const DIGITS = 9; // enough for every number in single precision, and half as long

export class Trained {
  /**
   * @param {import("../state.js").Option[]} options
   * @param {() => void} leave the person wants drawn weights again
   */
  constructor(options, leave) {
    this.options = options;
    this.leave = leave;
    this.name = "";
    /** @type {import("../api.js").Given} */
    this.given = null;
    /** @type {import("../state.js").Config} */
    this.config = {};
  }

  /**
   * Fetches what the state's moment needs, if it is not here already. What the address does not say is as it was in
   * the run; returns what is wrong, in words.
   * @param {State} state
   * @param {string} search the address' query
   */
  async load(state, search) {
    const { moment } = state.view;
    if (moment !== this.name) this.forget();
    if (moment === "") return "";
    try {
      if (this.given === null) await this.fetch(moment);
    } catch (error) {
      state.view.moment = "";
      if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
      const why = error instanceof Refused ? error.problems.map(({ value, limit, remedy }) => `${value}: ${limit}. ${remedy}`).join(" ") || error.message : "The server does not answer.";
      return `The weights of this moment could not be fetched: ${why} The page shows drawn weights instead.`;
    }
    const said = new URLSearchParams(search);
    for (const [name, value] of Object.entries(this.config)) if (!said.has(name)) state.config[name] = value;
    return "";
  }

  forget() {
    Object.assign(this, { name: "", given: null, config: {} });
    byId("trained").hidden = true;
  }

  /**
   * @private
   * @param {string} moment
   */
  async fetch(moment) {
    const [run, strategy, seed, tokens] = moment.split(".");
    const [found, summary] = await Promise.all([service.moment(run, `${strategy}.${seed}`, Number(tokens)), service.summary(run)]);
    const weights = Object.fromEntries(Object.entries(found.weights).map(([name, value]) => [name, rounded(value)]));
    this.name = moment;
    this.given = { weights, vocabulary: found.vocabulary };
    this.config = configOf(found.config, this.options);
    this.say(summary, run, Number(strategy), Number(seed), Number(tokens));
  }

  /**
   * @private
   * @param {any} summary
   * @param {string} run
   * @param {number} strategy
   * @param {number} seed
   * @param {number} tokens
   */
  say({ lab }, run, strategy, seed, tokens) {
    const when = tokens === 0 ? "before training" : `after ${tokens.toLocaleString("en")} ${tokenWord(lab)}`;
    byId("trained").hidden = false;
    byId("trained").replaceChildren(make("span", {}, `These are trained weights: ${strategyName(lab.strategies[strategy])}, seed ${seed}, ${when}. The program below draws its own.`),
      make("a", { class: "button small", href: `/train/${run}?at=${tokens}${seed === lab.seed ? "" : `&seed=${seed}`}` }, "Back to the run"),
      make("button", { type: "button", class: "button small", click: () => this.leave() }, "Use drawn weights"));
  }
}

/**
 * Returns nested lists of numbers, each as short as single precision allows.
 * @param {any} value
 * @returns {any}
 */
function rounded(value) {
  return Array.isArray(value) ? value.map(rounded) : Number(Number(value).toPrecision(DIGITS));
}
