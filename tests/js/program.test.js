import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf, own } from "../../static/js/lib/program.js";

test("a program names the server that the page came from", () => {
  const program = "curl 'http://127.0.0.1:8000/api/v1/analysis?text=http%3A%2F%2F127.0.0.1%3A8000%2F'\n";
  assert.equal(own(program, "https://bptt.example"), "curl 'https://bptt.example/api/v1/analysis?text=http%3A%2F%2F127.0.0.1%3A8000%2F'\n");
});

test("its lines are counted from 1, and the last line break makes no line", () => {
  assert.deepEqual(linesOf("a\n\nb\n", [3]), [{ text: "a", cut: false }, { text: "", cut: false }, { text: "b", cut: true }]);
});
