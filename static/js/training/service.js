/** What the page asks of the training service; `api.js` alone speaks with the server. */

import { send } from "../api.js";
import { decode } from "../lib/binary.js";

const ROOT = "/api/v1/training";
const JSON_TYPE = { Accept: "application/json", "Content-Type": "application/json" };

/**
 * Starts a run, and returns it. Asked twice with the same key, the server starts one run.
 * @param {Record<string, any>} lab
 * @param {string} key
 * @returns {Promise<any>}
 */
export async function start(lab, key) {
  return (await send(ROOT, { method: "POST", body: JSON.stringify(lab), headers: { ...JSON_TYPE, "Idempotency-Key": key } })).json();
}

/**
 * Returns what a lab would take: `{bytes, seconds, ...}`.
 * @param {Record<string, any>} lab
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export async function estimate(lab, signal) {
  return (await send(`${ROOT}/estimate`, { method: "POST", body: JSON.stringify(lab), headers: JSON_TYPE, signal })).json();
}

/**
 * Returns a run as it stands: status, lab, progress, verdict.
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function summary(id, signal) {
  return (await send(place(id), { headers: { Accept: "application/json" }, signal })).json();
}

/**
 * Returns this browser's own runs, the newest first.
 * @returns {Promise<any>}
 */
export async function runs() {
  return (await send(ROOT, { headers: { Accept: "application/json" } })).json();
}

/**
 * @param {string} id
 * @param {"pause" | "resume" | "step" | "stop" | "rate"} action
 * @param {number} [rate]
 * @returns {Promise<any>}
 */
export async function control(id, action, rate) {
  const body = rate === undefined ? { action } : { action, rate };
  return (await send(`${place(id)}/control`, { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE })).json();
}

/**
 * Returns the pictures of a run, each with its sentence and its table, and the verdict so far.
 * @param {string} id
 * @param {{seed: number, measure: string}} chosen
 * @param {AbortSignal} signal
 * @returns {Promise<{pictures: Record<string, any>, verdict: any}>}
 */
export async function pictures(id, { seed, measure }, signal) {
  const query = new URLSearchParams({ seed: String(seed), measure });
  const response = await send(`${place(id)}/figures?${query}`, { headers: { Accept: "application/vnd.unrolled.bin" }, signal });
  return decode(await response.arrayBuffer());
}

/**
 * Returns the weights of a moment, as the analysis takes them: `{config, weights, vocabulary}`.
 * @param {string} id
 * @param {string} lane
 * @param {number} tokens
 * @returns {Promise<{config: Record<string, any>, weights: Record<string, any>, vocabulary: string[]}>}
 */
export async function moment(id, lane, tokens) {
  return (await send(`${place(id)}/moments/${encodeURIComponent(lane)}/${tokens}`, { headers: { Accept: "application/json" } })).json();
}

/** @param {string} id */
export function eventsAddress(id) {
  return (/** @type {number} */ after) => `${place(id)}/events?after=${after}`;
}

/** @param {string} id */
export function place(id) {
  return `${ROOT}/${encodeURIComponent(id)}`;
}
