/** What a run takes, said before it is started. (leaf) */

import { duration } from "./run.js";

/**
 * @param {{bytes: number, seconds: number, processes: number, unwatched_seconds: number}} cost bytes of the largest lane; seconds of
 *   one core for all lanes; how long nobody may look at it until it is paused, 0: for ever
 */
export function estimateWords({ bytes, seconds, processes, unwatched_seconds: unwatched }) {
  const mebibytes = Math.max(1, Math.round((processes * bytes) / 2 ** 20));
  const where = processes === 1 ? "in one process" : `in ${processes} processes`;
  return `Takes about ${duration(Math.max(1, seconds / processes))} ${where} and ${mebibytes.toLocaleString("en")} MiB of memory.${unwatched ? ` When nobody has looked at it for ${duration(unwatched)}, it is paused.` : ""}`;
}
