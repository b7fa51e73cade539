/** A strategy's line as it is drawn: its colour and its dash, small. (leaf) */

const SVG = "http://www.w3.org/2000/svg";

/** The dashes of `server/figures/training/picture.py`, as SVG writes them. */
export const DASHES = ["none", "7 3", "2 3", "9 3 2 3", "15 4", "5 5", "4 2 1 2", "12 3 2 3 2 3"];

/** @param {number} strategy */
export function swatch(strategy) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 28 12");
  picture.setAttribute("class", "swatch");
  picture.setAttribute("aria-hidden", "true");
  picture.style.setProperty("--key", `var(--strategy-${strategy})`);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", "M1 6h26");
  line.setAttribute("stroke-dasharray", DASHES[strategy] ?? "none");
  picture.append(line);
  return picture;
}
