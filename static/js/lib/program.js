/** A program as the server writes it, ready to be shown. (pure) */

/**
 * @typedef {{program: string, cut_lines: number[], checked: string, checked_with: {package: string, version: string}[]}} Written
 */

const WRITTEN_FOR = "http://127.0.0.1:8000";

/**
 * Returns the program with this server's own address in it.
 * @param {string} program
 * @param {string} origin
 */
export function own(program, origin) {
  return program.replaceAll(`${WRITTEN_FOR}/`, `${origin}/`);
}

/**
 * Returns its lines, each with whether it makes the cut.
 * @param {string} program
 * @param {number[]} cutLines from 1
 */
export function linesOf(program, cutLines) {
  const cuts = new Set(cutLines);
  return program.replace(/\n$/, "").split("\n").map((text, index) => ({ text, cut: cuts.has(index + 1) }));
}
