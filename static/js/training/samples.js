/** What each strategy writes by itself at the picked moment: text of the network, shown as text. */

import { make, setText } from "../lib/dom.js";
import { strategyName } from "./lab.js";
import { momentAt } from "./run.js";
import { swatch } from "./swatch.js";

/**
 * @param {HTMLElement} root
 * @param {import("./run.js").Run} run
 * @param {number} seed
 * @param {number} index of the moment
 */
export function showSamples(root, run, seed, index) {
  const lanes = [...run.lanes.values()].filter((lane) => lane.seed === seed);
  root.closest("section")?.toggleAttribute("hidden", run.lab.task !== "text");
  if (root.dataset.run !== `${run.id}.${seed}`) root.replaceChildren(...lanes.map((lane) => place(run, lane)));
  root.dataset.run = `${run.id}.${seed}`;
  for (const lane of lanes) {
    const moment = momentAt(lane, index);
    const text = root.querySelector(`[data-lane="${lane.name}"]`);
    if (text) setText(text, moment ? moment.sample || "\u2026" : "Not trained yet.");
  }
}

/**
 * @param {import("./run.js").Run} run
 * @param {import("./run.js").Lane} lane
 */
function place(run, lane) {
  const name = strategyName(run.lab.strategies[lane.strategy]);
  return make("div", { class: "sample" }, make("h3", {}, swatch(lane.strategy), name),
    make("pre", { "data-lane": lane.name, tabindex: "0", role: "region", "aria-label": `Text written by ${name}` }));
}
