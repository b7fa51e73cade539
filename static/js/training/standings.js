/** Every strategy in one row, from the events themselves: how far it is, its loss both ways, what it costs. */

import { byId, make, setText } from "../lib/dom.js";
import { number } from "../lib/format.js";
import { strategyName } from "./lab.js";
import { duration, measured, share } from "./run.js";
import { swatch } from "./swatch.js";

const COLUMNS = ["strategy", "trained", "loss carried", "loss reset", "right", "gradient", "clipped", "half-life", "time", "memory"];
/** @type {Record<string, string>} */
const EXPLAINED = {
  trained: "Seeds that have reached the end, and the share of all tokens", "loss carried": "Held out, evaluated with the state carried; the mean over the seeds",
  "loss reset": "Held out, evaluated with the state reset at every window", right: "Share of held-out predictions that are right, evaluated as trained",
  gradient: "The gradient's norm before clipping, at last", clipped: "Share of the updates that were clipped, at last",
  "half-life": "Steps back after which the gradient has halved", time: "Computing time of all its seeds", memory: "Most memory that an update takes beyond what is held anyway",
};

/**
 * Fills the table.
 * @param {HTMLElement} root
 * @param {import("./run.js").Run} run
 * @param {string} measure
 */
export function showStandings(root, run, measure) {
  const head = make("tr", {}, ...COLUMNS.map((name) => make("th", { scope: "col", title: EXPLAINED[name] }, name)));
  const rows = run.lab.strategies.map((/** @type {any} */ strategy, /** @type {number} */ index) => row(run, strategy, index, measure));
  const { unit } = measured(0, run.lab, measure);
  setText(byId("standings-about"), `Losses in ${unit}, held out; the one that belongs to how a strategy was trained is set bold. Means over the seeds.`);
  root.replaceChildren(make("table", {},
    make("thead", {}, head), make("tbody", {}, ...rows)));
}

/**
 * @param {import("./run.js").Run} run
 * @param {any} strategy
 * @param {number} index
 * @param {string} measure
 */
function row(run, strategy, index, measure) {
  const lanes = [...run.lanes.values()].filter((lane) => lane.strategy === index);
  const reset = strategy.value === "reset";
  const last = (/** @type {string} */ name) => mean(lanes.map((lane) => /** @type {any} */ (lane.moments.at(-1))?.[name]));
  const now = (/** @type {string} */ name) => mean(lanes.map((lane) => /** @type {any} */ (lane.point)?.[name]));
  const loss = (/** @type {string} */ name) => short(measured(last(name), run.lab, measure).value);
  const seconds = lanes.reduce((sum, lane) => sum + (lane.point?.seconds ?? 0), 0);
  const peak = run.peaks.get(index) ?? 0;
  const accuracy = last(reset ? "accuracy_reset" : "accuracy_carry");
  const cells = [trained(lanes, run.lab), loss("loss_carry"), loss("loss_reset"), Number.isFinite(accuracy) ? share(accuracy) : "", short(now("norm")),
    Number.isFinite(now("clipped")) && run.lab.clip_by !== "off" ? share(now("clipped")) : "", short(last("half_life")), seconds && seconds < 10 ? `${seconds.toFixed(1)}\u00a0s` : duration(seconds || null),
    peak ? `${number(peak / 2 ** 20)}\u00a0MiB` : ""];
  const own = reset ? 2 : 1;
  return make("tr", { "data-strategy": index }, make("th", { scope: "row" }, swatch(index), strategyName(strategy)),
    ...cells.map((text, i) => make("td", i === own ? { class: "own" } : {}, text || "\u2013")));
}

/**
 * @param {import("./run.js").Lane[]} lanes
 * @param {any} lab
 */
function trained(lanes, lab) {
  const diverged = lanes.filter((lane) => lane.ended === "diverged").length;
  const failed = lanes.filter((lane) => lane.ended === "failed").length;
  const tokens = lanes.reduce((sum, lane) => sum + (lane.ended === "done" ? lab.tokens : lane.point?.tokens ?? 0), 0);
  const done = share(tokens / (lab.tokens * lanes.length));
  const ends = [diverged ? `${diverged === lanes.length ? "" : `${diverged} of ${lanes.length} `}diverged` : "", failed ? `${failed} failed` : ""].filter(Boolean);
  return ends.length ? `${ends.join(", ")}, ${done}` : done;
}

/** @param {(number | null | undefined)[]} values */
function mean(values) {
  const known = values.filter((value) => value !== null && value !== undefined && Number.isFinite(value)).map(Number);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : NaN;
}

/** @param {number} value */
function short(value) {
  return Number.isFinite(value) ? number(value) : "";
}
