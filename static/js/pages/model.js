/** Your model: sends a trace, and shows what it says. Everything on the page comes from the answer. */

import { example, Refused, trace } from "../api.js";
import { loadPlotly } from "../figures/plotly-host.js";
import { byId, make, setText } from "../lib/dom.js";
import { set } from "../lib/format.js";
import { facts } from "../lib/model-tables.js";
import { listenForFiles } from "../model/opening.js";
import { ModelPicture } from "../model/picture.js";
import { chrome } from "./chrome.js";

/** @typedef {import("../lib/model-tables.js").View} View */

const { plotly: plotlyAddress = "", example: exampleAddress = "", most = "" } = byId("model").dataset;
const row = /** @type {HTMLSelectElement} */ (byId("row"));
const loss = /** @type {HTMLInputElement} */ (byId("loss"));
const expect = /** @type {HTMLInputElement} */ (byId("expect"));
/** @type {ModelPicture[]} */
let pictures = [];
/** @type {View | null} */
let view = null;
/** @type {{file: Blob, name: string} | null} */
let opened = null;
let asking = new AbortController();
let at = 0;

chrome({ recolour: refresh, resize: refresh, link: () => location.href });
listenForFiles(open, openExample);
addEventListener("resize", refresh);
byId("expect-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (opened) open(opened.file, opened.name);
  else setText(byId("status"), "Choose a trace first, or open the example.");
});
row.addEventListener("change", drawCredit);
loss.addEventListener("input", mark);
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(/** @type {HTMLElement} */ (button)));

async function openExample() {
  try {
    open(await example(exampleAddress), "the example");
  } catch (error) {
    refuse(error, "the example");
  }
}

/**
 * @param {Blob} file
 * @param {string} name
 */
async function open(file, name) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  if (file.size > Number(most)) {
    setText(byId("status"), `${name} was not sent.`);
    return complain(`${name} has ${size(file.size)}: a trace may have ${size(Number(most))} here. Record fewer updates, losses or rows.`);
  }
  opened = { file, name };
  busy(true);
  complain("");
  setText(byId("status"), `Reading ${name}, ${size(file.size)}\u2026`);
  try {
    const [answer, plotly] = await Promise.all([trace(file, expect.value.trim(), signal), loadPlotly(plotlyAddress)]);
    if (!signal.aborted) show(answer, name, plotly);
  } catch (error) {
    if (!signal.aborted) refuse(error, name);
  } finally {
    if (!signal.aborted) busy(false);
  }
}

/** @param {boolean} on */
function busy(on) {
  byId("progress").hidden = !on;
  byId("main").setAttribute("aria-busy", String(on));
}

/** @param {string} text */
function complain(text) {
  setText(byId("notice"), text);
  byId("notice").hidden = text === "";
}

/**
 * @param {unknown} error
 * @param {string} name
 */
function refuse(error, name) {
  if (!(error instanceof Error)) throw error;
  busy(false);
  const problems = error instanceof Refused ? error.problems : [];
  const reasons = problems.map((problem) => `${problem.field} = ${problem.value}: ${problem.limit}. ${problem.remedy}`);
  const lost = error instanceof TypeError ? "The server does not answer, or the file has changed since it was chosen." : error.message;
  setText(byId("status"), `${name} could not be read.${view ? " Below is still the trace before it." : ""}`);
  complain(reasons.length ? reasons.join(" ") : lost);
}

/**
 * @param {View} answer
 * @param {string} name
 * @param {any} plotly
 */
function show(answer, name, plotly) {
  view = answer;
  setText(byId("status"), `Open: ${name}, ${answer.steps} steps.`);
  const [headline, ...findings] = answer.sentences;
  setText(byId("headline"), set(headline));
  byId("findings").replaceChildren(...findings.map((/** @type {string} */ text) => make("li", {}, set(text))));
  badge(answer.agrees);
  setText(byId("facts"), facts(answer));
  byId("notes").replaceChildren(...answer.about.notes.map((/** @type {string} */ note) => make("li", {}, note)));
  byId("result").hidden = false;
  choices(answer);
  at = answer.reach ? answer.reach.losses[answer.reach.shown] : answer.steps - 1;
  const place = () => ({ at, loss: Number(loss.value), row: row.value });
  if (!pictures.length) pictures = roots().map((root) => new ModelPicture(root, plotly, { point, place, last: () => (view?.steps ?? 1) - 1 }));
  for (const picture of pictures) picture.show(answer);
  mark();
  byId("result").dataset.drawn = name;
  byId("headline").focus();
}

/** @param {boolean | null} agrees */
function badge(agrees) {
  const mark = byId("badge");
  mark.dataset.status = agrees === null ? "none" : agrees ? "passed" : "failed";
  setText(mark, agrees === null ? "nothing declared" : agrees ? "as declared" : "not as declared");
}

/** @param {View} answer */
function choices(answer) {
  const rows = Object.keys(answer.credit);
  row.replaceChildren(...rows.map((name) => make("option", { value: name }, answer.short[name])));
  const pick = row.closest("label");
  if (pick) pick.hidden = rows.length === 0;
  const asked = answer.reach?.losses.length ?? 0;
  loss.max = String(Math.max(0, asked - 1));
  loss.value = String(answer.reach?.shown ?? 0);
  const scrub = loss.closest("label");
  if (scrub) scrub.hidden = asked === 0;
}

function roots() {
  return /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-figure]")]);
}

/** @param {number} step */
function point(step) {
  at = step;
  mark();
}

function mark() {
  if (view?.reach) {
    setText(byId("loss-value"), String(view.reach.losses[Number(loss.value)]));
    loss.setAttribute("aria-valuetext", `loss at step ${view.reach.losses[Number(loss.value)]}`);
  }
  for (const picture of pictures) picture.mark();
}

function drawCredit() {
  if (!view) return;
  for (const picture of pictures) if (picture.chart.name === "credit") picture.show(view);
  mark();
}

function refresh() {
  for (const picture of pictures) picture.refresh();
  mark();
}

/** @param {HTMLElement} button */
async function copy(button) {
  const lines = byId(button.dataset.copy ?? "");
  try {
    await navigator.clipboard.writeText(lines.textContent ?? "");
    setText(button, "Copied");
  } catch {
    getSelection()?.selectAllChildren(lines);
    setText(button, "Selected: press Ctrl+C");
  }
  setTimeout(() => setText(button, "Copy"), 2000);
}

/** @param {number} bytes */
function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
