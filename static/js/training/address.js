/** The training page's address: `/train` with what differs from the first experiment, `/train/<id>` with what is looked at. */

import { LONGEST_IN_URL } from "../state.js";
import { asBody, labOf } from "./lab.js";

/** @typedef {import("./lab.js").Lab} Lab */

/** Returns the id of the run that an address shows, "" for none. @param {string} path */
export function runOf(path) {
  return /^\/train\/([A-Za-z0-9_-]{1,64})$/.exec(path)?.[1] ?? "";
}

/**
 * Returns the query that holds a lab: what differs from the first experiment, but for long texts.
 * @param {Lab} lab
 * @param {import("./lab.js").LabCatalogue} catalogue
 */
export function labQuery(lab, catalogue) {
  const body = asBody(lab, catalogue);
  const usual = asBody(labOf(catalogue.presets[0].lab, catalogue), catalogue);
  const other = Object.entries(body).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(usual[name]) && String(value).length <= LONGEST_IN_URL);
  return other.length ? `?${new URLSearchParams({ lab: JSON.stringify(Object.fromEntries(other)) })}` : "";
}

/**
 * Returns the lab that a query holds, and what is wrong with it in words.
 * @param {string} search
 * @param {import("./lab.js").LabCatalogue} catalogue
 * @returns {{lab: Lab, problem: string}}
 */
export function labFrom(search, catalogue) {
  const usual = catalogue.presets[0].lab;
  const text = new URLSearchParams(search).get("lab");
  const found = text === null ? {} : parsed(text);
  if (found === null) return { lab: labOf(usual, catalogue), problem: "The address holds an experiment that cannot be read; this is the first one instead." };
  const known = new Set([...catalogue.options.map(({ name }) => name), "strategies"]);
  const unknown = Object.keys(found).filter((name) => !known.has(name));
  const kept = Object.fromEntries(Object.entries(found).filter(([name]) => known.has(name)));
  const problem = unknown.length ? `The address has names that mean nothing here and were left out: ${unknown.join(", ")}.` : "";
  return { lab: labOf({ ...usual, ...kept }, catalogue), problem };
}

/**
 * Returns an object of plain values and lists of such objects; null for anything else.
 * @param {string} text
 * @returns {Record<string, any> | null}
 */
function parsed(text) {
  try {
    const found = JSON.parse(text);
    const strategies = found?.strategies ?? [{}];
    const sound = isObject(found) && Array.isArray(strategies) && strategies.length >= 1 && strategies.length <= 8 && strategies.every(isObject);
    return sound ? found : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
