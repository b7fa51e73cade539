import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

/** @type {Record<string, () => void>} */
const heard = {};
/** @type {string[]} what the history was told */
const told = [];
const option = { name: "k", kind: "int", help: "", default: 20, low: 1, high: 60, choices: null, when: null };
Object.assign(globalThis, {
  addEventListener: (/** @type {string} */ name, /** @type {() => void} */ act) => (heard[name] = act),
  location: { pathname: "/", search: "", origin: "" },
  history: { state: null, pushState: (/** @type {any} */ _, /** @type {any} */ __, /** @type {string} */ place) => told.push(`new ${place}`),
    replaceState: (/** @type {any} */ _, /** @type {any} */ __, /** @type {string} */ place) => told.push(place) },
});
mock.timers.enable({ apis: ["setTimeout"] });
const { Address } = await import("../../static/js/pages/address.js");
const { wholeView } = await import("../../static/js/state.js");

const state = (/** @type {number} */ k) => ({ config: { k }, view: wholeView() });

/** Moves a slider to some places. @param {InstanceType<typeof Address>} address @param {number[]} ks */
function moved(address, ks) {
  for (const k of ks) address.write(state(k), false);
}

afterEach(() => {
  mock.timers.tick(1000);
  told.length = 0;
});

test("a control that moves makes one entry, which follows once it pauses", () => {
  const address = new Address([option]);
  moved(address, [21, 22, 23]);
  assert.deepEqual(told, ["new /?k=21"]);
  mock.timers.tick(200);
  assert.deepEqual(told, ["new /?k=21", "/?k=23"]);
});

test("where it comes to rest is in the address at once, and once", () => {
  const address = new Address([option]);
  moved(address, [21, 22]);
  address.write(state(24), true);
  assert.deepEqual(told, ["new /?k=21", "/?k=24"]);
  mock.timers.tick(1000);
  assert.equal(told.length, 2);
  address.write(state(25), true);
  assert.deepEqual(told.slice(2), ["new /?k=25"]);
});

test("a page that is left while a control moves leaves its last place", () => {
  const address = new Address([option]);
  moved(address, [30, 31]);
  heard.pagehide();
  assert.deepEqual(told, ["new /?k=30", "/?k=31"]);
});

test("what moved before the person went back does not write over where they went", () => {
  const address = new Address([option]);
  moved(address, [40, 41]);
  address.returned();
  mock.timers.tick(1000);
  assert.deepEqual(told, ["new /?k=40"]);
});
