/** A text or a row of numbers: typed, pasted or read from a file on this machine. */

import { make } from "../lib/dom.js";
import { frame } from "./frame.js";

const LONGEST = 5_000_000; // bytes of a file

/**
 * @param {import("../state.js").Option} option
 * @param {import("./frame.js").Report} report
 * @returns {import("./frame.js").Control}
 */
export function text(option, report) {
  const area = make("textarea", { rows: 3, spellcheck: "false", change: () => report(option.name, area.value, true),
    placeholder: option.name === "text" ? "Empty: the English of Python's help topics" : "Empty: a noisy sine" });
  const input = make("input", { type: "file", accept: "text/*,.csv,.txt", hidden: true, change: () => load() });
  const button = make("button", { type: "button", class: "button", click: () => input.click() }, "Read a file\u2026");
  const { element, complain } = frame(option, { body: [area, input, make("div", { class: "row" }, button)], labelled: area });

  async function load() {
    const file = input.files?.[0];
    if (!file) return;
    if (file.size > LONGEST) {
      complain(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB: at most 5 MB are read. Take a part of it.`);
      input.value = "";
      return;
    }
    try {
      area.value = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      complain(`${file.name} is not a text in UTF-8. Save it as UTF-8, or paste the text itself.`);
      return;
    } finally {
      input.value = "";
    }
    report(option.name, area.value, true);
  }

  return { name: option.name, element, complain, show(config) {
    const value = String(config[option.name]);
    if (area.value !== value) area.value = value;
  } };
}
