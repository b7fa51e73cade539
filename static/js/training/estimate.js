/** What a run takes, said before it is started. (leaf) */

import { duration } from "./run.js";

/**
 * @param {{bytes: number, seconds: number}} cost of the whole run on this machine
 */
export function estimateWords({ bytes, seconds }) {
  const mebibytes = Math.max(1, Math.round(bytes / 2 ** 20));
  return `Takes about ${duration(Math.max(1, seconds))} and ${mebibytes.toLocaleString("en")} MiB of memory.`;
}
