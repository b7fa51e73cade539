/** This browser's own runs, to come back to. */

import { byId, make } from "../lib/dom.js";
import * as service from "./service.js";

const MOST = 12;
/** @type {Record<string, string>} */
const WORDS = { queued: "waiting", running: "running", paused: "paused", done: "done", failed: "failed", cancelled: "stopped", interrupted: "interrupted" };

/** Shows them, or nothing where there are none. @param {string} shown the run that is on the page */
export async function showEarlier(shown) {
  const answer = await service.runs();
  const runs = /** @type {any[]} */ (answer).filter(({ id }) => id !== shown);
  byId("earlier").hidden = runs.length === 0;
  byId("earlier-list").replaceChildren(...runs.slice(0, MOST).map((run) => make("li", {}, make("a", { href: `/train/${run.id}` }, words(run)))),
    runs.length > MOST ? make("li", {}, `and ${runs.length - MOST} older ones`) : "");
}

/** @param {any} run */
function words({ id, title, status, created }) {
  const when = created ? new Date(Number(created) * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : id;
  return `${title || "Run"}, ${when}: ${WORDS[status] ?? status}`;
}
