/**
 * What the person chose: one table, kept in the URL. The config's rows come from the catalogue
 * (the engine's table of options), the view's rows are below.
 */

/**
 * @typedef {{name: string, kind: "int"|"float"|"bool"|"choice"|"text"|"series", help: string, default: any,
 *   low: number | null, high: number | null, choices: Record<string, string> | null,
 *   when: [string, string[]] | null, label?: string}} Option label: for one of several alike
 * @typedef {string | number | boolean} Value
 * @typedef {Record<string, Value>} Config
 * @typedef {{s: number | null, at: number | null, from: number | null, to: number | null, q: string, deep: string, moment: string}} View
 * @typedef {{config: Config, view: View}} State
 */

/** The view's part of the table: the picked loss, how far its backward pass is shown, the zoom, the question, the deeper panels that are open, the
 * moment of a training run whose weights are shown: run.strategy.seed.tokens. */
const VIEW = /** @type {const} */ ({ s: "step", at: "step", from: "step", to: "step", q: "name", deep: "name", moment: "moment" });
const MOMENT = /^[A-Za-z0-9_-]{1,64}\.\d{1,2}\.\d{1,10}\.\d{1,9}$/;

/** Longer texts stay out of the address (servers and mail programs cut it); history keeps them. */
export const LONGEST_IN_URL = 2000;

/** @returns {View} */
export function wholeView() {
  return { s: null, at: null, from: null, to: null, q: "", deep: "", moment: "" };
}

/**
 * Returns the config that the engine's defaults make.
 * @param {Option[]} options
 * @returns {Config}
 */
export function defaults(options) {
  return Object.fromEntries(options.map((option) => [option.name, plain(option, option.default)]));
}

/**
 * Returns the config that a preset or an answer holds, as plain values of this page.
 * @param {Record<string, any>} given
 * @param {Option[]} options
 * @returns {Config}
 */
export function configOf(given, options) {
  return Object.fromEntries(options.map((option) => [option.name, plain(option, given[option.name] ?? option.default)]));
}

/**
 * Returns whether an option has a meaning under the other choices.
 * @param {Option} option
 * @param {Config} config
 */
export function applies(option, config) {
  return option.when === null || option.when[1].includes(String(config[option.when[0]]));
}

/**
 * Returns whether two configs give the same numbers: idle options do not count.
 * @param {Config} a
 * @param {Config} b
 * @param {Option[]} options
 */
export function sameConfig(a, b, options) {
  return configQuery(a, options).toString() === configQuery(b, options).toString();
}

/**
 * Returns the config whose credit matrix is this one's: where no state is reset, that of the run without any cut.
 * @param {Config} config
 */
export function creditConfig(config) {
  return config.value === "reset" ? config : { ...config, style: "full" };
}

/**
 * Returns the canonical query of a config: every option that applies, in the table's order.
 * @param {Config} config
 * @param {Option[]} options
 * @param {boolean} [brief] leave out what is at its default
 */
export function configQuery(config, options, brief = false) {
  const query = new URLSearchParams();
  for (const option of options) {
    const value = String(config[option.name]);
    if (!applies(option, config) || value === "") continue;
    if (!brief || value !== String(plain(option, option.default))) query.set(option.name, value);
  }
  return query;
}

/**
 * Returns the names of what the person gave that is too long for an address.
 * @param {State} state
 * @returns {string[]}
 */
export function tooLong(state) {
  return ["text", "series"].filter((name) => String(state.config[name] ?? "").length > LONGEST_IN_URL);
}

/**
 * Returns the whole state as the page's query, "" for the default view. `whole` writes the defaults
 * too, so that a link shows the same numbers even where another version has other defaults.
 * @param {State} state
 * @param {Option[]} options
 * @param {{whole?: boolean}} [how]
 */
export function toSearch(state, options, { whole = false } = {}) {
  const query = configQuery(state.config, options, !whole);
  for (const name of tooLong(state)) query.delete(name);
  for (const name of /** @type {(keyof View)[]} */ (Object.keys(VIEW))) {
    const value = state.view[name];
    if (value !== null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

/**
 * Returns the state that a query describes, and the names in it that mean nothing here. A value
 * that cannot be read is kept as it was written: the server says what is wrong with it.
 * @param {string} search
 * @param {Option[]} options
 * @returns {{state: State, unknown: string[]}}
 */
export function fromSearch(search, options) {
  const config = defaults(options);
  const view = wholeView();
  const unknown = [];
  for (const [name, text] of new URLSearchParams(search)) {
    const option = options.find((candidate) => candidate.name === name);
    if (option) config[name] = read(option, text);
    else if (name in VIEW) Object.assign(view, readView(/** @type {keyof View} */ (name), text));
    else unknown.push(name);
  }
  return { state: { config, view }, unknown };
}

/**
 * @param {keyof View} name
 * @param {string} text
 */
function readView(name, text) {
  if (VIEW[name] === "moment") return { [name]: MOMENT.test(text) ? text : "" };
  if (VIEW[name] === "name") return { [name]: /^[a-z_]{1,32}$/.test(text) ? text : "" };
  return { [name]: /^\d{1,6}$/.test(text) ? Number(text) : null };
}

/**
 * Returns the value that a control or a query wrote, or the text itself where it is no such value.
 * @param {Option} option
 * @param {string} text
 * @returns {Value}
 */
export function read(option, text) {
  if (option.kind === "bool") return text === "true" ? true : text === "false" ? false : text;
  if (option.kind === "int" || option.kind === "float") {
    const value = Number(text);
    return text.trim() !== "" && Number.isFinite(value) ? value : text;
  }
  return text;
}

/**
 * @param {Option} option
 * @param {any} value
 * @returns {Value}
 */
function plain(option, value) {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "string" ? read(option, value) : value;
}
