import assert from "node:assert/strict";
import { test } from "node:test";

import { Newest } from "../../static/js/lib/newest.js";

/** A queue whose jobs end when the test says so. */
function setUp(options = {}) {
  const jobs = [];
  const done = [];
  const failed = [];
  const run = (job, signal) => new Promise((resolve, reject) => {
    jobs.push({ job, signal, resolve, reject });
    signal.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
  });
  const queue = new Newest(run, (answer) => done.push(answer), (error) => failed.push(error.message), { patience: 5, slow: 5, ...options });
  return { queue, jobs, done, failed };
}
const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

test("one is under way, the newest waits, and those between are never asked", async () => {
  const { queue, jobs, done } = setUp({ patience: 1000 });
  for (const job of ["a", "b", "c", "d"]) queue.ask(job);
  assert.deepEqual(jobs.map(({ job }) => job), ["a"]);
  jobs[0].resolve("A");
  await turn();
  assert.deepEqual(jobs.map(({ job }) => job), ["a", "d"]);
  jobs[1].resolve("D");
  await turn();
  assert.deepEqual(done, ["A", "D"]);
  assert.ok(queue.idle);
});

test("one that is slow to come is given up for a newer one, in silence", async () => {
  const { queue, jobs, done, failed } = setUp();
  queue.ask("slow");
  queue.ask("new");
  await turn(20);
  assert.ok(jobs[0].signal.aborted);
  jobs[1].resolve("NEW");
  await turn();
  assert.deepEqual([done, failed], [["NEW"], []]);
});

test("a failure is told, and the next is asked all the same", async () => {
  const { queue, jobs, done, failed } = setUp({ patience: 1000 });
  queue.ask("bad");
  queue.ask("good");
  jobs[0].reject(new Error("refused"));
  await turn();
  jobs[1].resolve("GOOD");
  await turn();
  assert.deepEqual([failed, done], [["refused"], ["GOOD"]]);
});

test("slow is shown, and ends", async () => {
  const seen = [];
  const { queue, jobs } = setUp({ busy: (busy) => seen.push(busy) });
  queue.ask("a");
  await turn(20);
  jobs[0].resolve("A");
  await turn();
  assert.deepEqual(seen, [true, false]);
});

test("cancelled, it reports nothing", async () => {
  const { queue, jobs, done, failed } = setUp();
  queue.ask("a");
  queue.ask("b");
  queue.cancel();
  await turn(20);
  assert.equal(jobs.length, 1);
  assert.deepEqual([done, failed, queue.idle], [[], [], true]);
});
