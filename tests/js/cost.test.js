import assert from "node:assert/strict";
import { test } from "node:test";

import { costWords } from "../../static/js/controls/cost.js";

test("memory and time are rounded as a reader wants them", () => {
  assert.equal(costWords({ bytes: 16_814_336, seconds: 0.15 }), "This choice takes about 16 MiB of memory and 150 ms, its check included.");
  assert.equal(costWords({ bytes: 10, seconds: 0.001 }), "This choice takes about 1 MiB of memory and 10 ms, its check included.");
  assert.equal(costWords({ bytes: 2 ** 31, seconds: 3.25 }), "This choice takes about 2,048 MiB of memory and 3.3 s, its check included.");
});
