/** What a run takes, said before it is started. (leaf) */

import { duration } from "./run.js";

/**
 * @param {{bytes: number, seconds: number, processes: number}} cost bytes of the largest lane; seconds of one core for all lanes
 */
export function estimateWords({ bytes, seconds, processes }) {
  const mebibytes = Math.max(1, Math.round((processes * bytes) / 2 ** 20));
  const where = processes === 1 ? "in one process" : `in ${processes} processes`;
  return `Takes about ${duration(Math.max(1, seconds / processes))} ${where} and ${mebibytes.toLocaleString("en")} MiB of memory.`;
}
