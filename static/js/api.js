/** The only place that asks the server. */

import { decode } from "./lib/binary.js";
import { configQuery } from "./state.js";

const LONGEST_GET = 6000;
// A server on the same machine has what it answered before as soon as the browser's cache would, and that takes a
// millisecond of every answer to look for it and to keep it.
const CACHE = ["localhost", "127.0.0.1", "[::1]"].includes(globalThis.location?.hostname) ? "no-store" : "default";

/** @typedef {{field: string, value: string, limit: string, remedy: string}} Problem */
/** @typedef {{weights: Record<string, any>, vocabulary: string[]} | null} Given weights that are not drawn; null for drawn ones */

/** What the server refused, and why: one entry for every control that is to blame. */
export class Refused extends Error {
  /**
   * @param {{title?: string, detail?: string, status?: number, problems?: Problem[]}} problem
   * @param {number | null} [retryAfter] seconds, where the server says when to ask again
   */
  constructor({ title = "The server refused", detail = "", status = 0, problems = [] }, retryAfter = null) {
    super(detail || title);
    this.title = title;
    this.status = status;
    this.problems = problems;
    this.retryAfter = retryAfter;
  }
}

/**
 * Returns an analysis with its figures and one row of the credit matrix. While a control moves it is asked for
 * without its certificate.
 * @param {import("./state.js").Config} config
 * @param {number | null} loss whose row; null for the last
 * @param {import("./state.js").Option[]} options
 * @param {AbortSignal} signal
 * @param {Given} [given]
 * @returns {Promise<any>}
 */
export async function analysis(config, loss, options, signal, given = null) {
  const extra = { include: "row,figures", certificate: "false", ...(loss === null ? {} : { loss: String(loss) }) };
  const body = { include: ["row", "figures"], certificate: false, loss };
  const response = await ask("analysis", config, options, extra, body, "application/vnd.unrolled.bin", signal, given);
  return decode(await response.arrayBuffer());
}

/**
 * Returns `{credit, sentence, heatmap}`: the credit matrix.
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {AbortSignal} signal
 * @param {Given} [given]
 * @returns {Promise<any>}
 */
export async function credit(config, options, signal, given = null) {
  const response = await ask("credit", config, options, {}, {}, "application/vnd.unrolled.bin", signal, given);
  return decode(await response.arrayBuffer());
}

/**
 * Returns an analysis with deeper diagnostics and their figures, and without its certificate.
 * @param {string} include names of `include=`, separated by commas
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {AbortSignal} signal
 * @param {Given} [given]
 * @returns {Promise<any>}
 */
export async function diagnostics(include, config, options, signal, given = null) {
  const extra = { include: `${include},figures`, certificate: "false" };
  const body = { include: [...include.split(","), "figures"], certificate: false };
  const response = await ask("analysis", config, options, extra, body, "application/vnd.unrolled.bin", signal, given);
  return decode(await response.arrayBuffer());
}

/**
 * Returns `{certificate, certificate_full, sentence}` of a config.
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {AbortSignal} signal
 * @param {Given} [given]
 * @returns {Promise<any>}
 */
export async function certificate(config, options, signal, given = null) {
  const response = await ask("certificate", config, options, {}, {}, "application/json", signal, given);
  return response.json();
}

/**
 * Returns a long sequence at a glance.
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {AbortSignal} signal
 * @param {Given} given
 * @param {boolean} [certified] whether its gradients are checked, which takes longer than the rest
 * @returns {Promise<any>}
 */
export async function long(config, options, signal, given, certified = false) {
  const response = await ask("long", config, options, { certificate: String(certified) }, { certificate: certified }, "application/vnd.unrolled.bin", signal, given);
  return decode(await response.arrayBuffer());
}

/**
 * Returns some steps of a long sequence. It is never given up: the server would end the process that keeps the sequence.
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {{from: number, to: number}} range
 * @param {Given} given
 * @returns {Promise<any>}
 */
export async function closeup(config, options, { from, to }, given) {
  const { signal } = new AbortController();
  const response = await ask("closeup", config, options, { from: String(from), to: String(to) }, { from, to }, "application/vnd.unrolled.bin", signal, given);
  return decode(await response.arrayBuffer());
}

/**
 * Returns what an analysis would take: `{bytes, seconds}`.
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export async function estimate(config, options, signal) {
  const response = await ask("estimate", config, options, {}, {}, "application/json", signal);
  return response.json();
}

/**
 * Returns the program for a config in a framework: its text, the lines that cut, and what it was checked with.
 * @param {string} framework
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {AbortSignal} signal
 * @returns {Promise<import("./lib/program.js").Written>}
 */
export async function code(framework, config, options, signal) {
  const address = `/api/v1/code/${framework}?${configQuery(config, options, true)}`;
  const response = await fetch(address, { headers: { Accept: "application/json" }, signal });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/**
 * Returns a published result, computed anew.
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function agreement(name) {
  const response = await fetch(`/api/v1/agree/${encodeURIComponent(name)}`, { headers: { Accept: "application/json" } });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/**
 * Returns the answer of any address, or throws what the server refused.
 * @param {string} address
 * @param {RequestInit} [how]
 */
export async function send(address, how) {
  const response = await fetch(address, how);
  if (!response.ok) throw await refusal(response);
  return response;
}

/**
 * Returns what a recorded trace holds, and how far its gradients reach.
 * @param {Blob} file it is sent as it is read, and never held whole
 * @param {string} expect "" for what the trace declares
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export async function trace(file, expect, signal) {
  const response = await fetch(`/api/v1/traces${expect ? `?${new URLSearchParams({ expect })}` : ""}`, {
    method: "POST", signal, body: file, headers: { Accept: "application/vnd.unrolled.bin", "Content-Type": "application/x-npz" },
  });
  if (!response.ok) throw await refusal(response);
  return decode(await response.arrayBuffer());
}

/**
 * Returns the example of a trace.
 * @param {string} address
 * @returns {Promise<Blob>}
 */
export async function example(address) {
  const response = await fetch(address);
  if (!response.ok) throw await refusal(response);
  return response.blob();
}

/**
 * Returns an exhibit of the bug museum, computed.
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function exhibit(name) {
  const response = await fetch(`/api/v1/bugs/${encodeURIComponent(name)}`, { headers: { Accept: "application/json" } });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/**
 * Returns which exhibits fit a text, and why.
 * @param {string} text
 * @returns {Promise<{suspects: {name: string, likely: boolean, reasons: string[]}[], sentence: string}>}
 */
export async function findBugs(text) {
  const response = await fetch("/api/v1/bugs/find", {
    method: "POST", headers: { Accept: "application/json", "Content-Type": "application/json" }, body: JSON.stringify({ text }),
  });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/**
 * Asks by GET, which caches understand; by POST where a text is too long for an address, or weights are given.
 * @param {string} what
 * @param {import("./state.js").Config} config
 * @param {import("./state.js").Option[]} options
 * @param {Record<string, string>} extra
 * @param {Record<string, unknown>} body
 * @param {string} accept
 * @param {AbortSignal} signal
 * @param {Given} given
 */
async function ask(what, config, options, extra, body, accept, signal, given = null) {
  const query = configQuery(config, options);
  const chosen = Object.fromEntries(options.filter(({ name }) => query.has(name)).map((option) => [option.name, posted(option, config[option.name])]));
  for (const [name, value] of Object.entries(extra)) query.set(name, value);
  const address = `/api/v1/${what}?${query}`;
  const response = address.length <= LONGEST_GET && given === null
    ? await fetch(address, { cache: CACHE, headers: { Accept: accept }, signal })
    : await fetch(`/api/v1/${what}`, {
      method: "POST", signal, headers: { Accept: accept, "Content-Type": "application/json" },
      body: JSON.stringify({ config: chosen, ...body, ...given }),
    });
  if (!response.ok) throw await refusal(response);
  return response;
}

/**
 * Returns a value as JSON has it: a row of numbers is a list there, and not a text.
 * @param {import("./state.js").Option} option
 * @param {import("./state.js").Value} value
 */
function posted({ kind }, value) {
  return kind === "series" ? String(value).split(/[,\n]/).map(Number) : value;
}

/** @param {Response} response */
async function refusal(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const after = Number(response.headers.get("Retry-After")) || null;
  if (!type.includes("json")) return new Refused({ title: `${response.status} ${response.statusText}`, status: response.status }, after);
  return new Refused(await response.json(), after);
}
