import assert from "node:assert/strict";
import { test } from "node:test";
import { Refused } from "../../static/js/api.js";

globalThis.addEventListener ??= () => {};
const { pause } = await import("../../static/js/pages/again.js");

test("a server that does not answer is asked ever more rarely", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 9].map((failures) => pause(new TypeError("Failed to fetch"), failures)), [1, 2, 4, 8, 15, 15]);
});

test("a busy server says when to ask again", () => {
  assert.equal(pause(new Refused({ status: 503 }, 7), 0), 7);
  assert.equal(pause(new Refused({ status: 429 }), 2), 4);
});

test("what cannot be is not asked again", () => {
  assert.equal(pause(new Refused({ status: 422 }), 0), null);
  assert.equal(pause(new Error("a fault of ours"), 0), null);
});
