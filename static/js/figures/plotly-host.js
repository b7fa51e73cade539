/**
 * Draws Plotly figures. Plotly makes the frame: axes, legend, traces. While a slider moves, the
 * traces and the ticks are rewritten in the nodes that Plotly made (`plotly-live.js`), which costs a
 * twentieth of a redraw, and where that cannot be Plotly makes the frame anew, without a heatmap's
 * cells; when it rests, Plotly itself draws what is there.
 */

import { colour, withColours } from "./palette.js";
import { drawHeatmaps } from "./heatmap.js";
import { drawLive, hasNodes, release, sameFrame } from "./plotly-live.js";

/**
 * @typedef {{data: any[], layout: any}} Figure
 * @typedef {{length: number, offset: number, range: number[]}} Axis in pixels within the plot, and in steps
 */

const NARROW_TICKS = 5;
const MOST_CELLS = 128 * 128; // of a heatmap that Plotly draws too
const CONFIG = { displayModeBar: false, showSendToCloud: false, showLink: false, staticPlot: true, responsive: false, displaylogo: false };

/** @type {Promise<any> | undefined} */
let loading;

/**
 * Returns Plotly, loaded after the first picture: it is 5 MB.
 * @param {string} url
 * @returns {Promise<any>}
 */
export function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => reject(new Error("Plotly's script could not be loaded"));
    document.head.append(script);
  });
  return loading;
}

/** One picture's place on the page. */
export class PlotlyHost {
  /**
   * @param {any} plotly
   * @param {HTMLElement} element
   */
  constructor(plotly, element) {
    this.plotly = plotly;
    this.element = element;
    /** @type {Figure | null} the figure that is seen */
    this.figure = null;
    /** @type {Figure | null} the figure that Plotly itself drew last */
    this.settled = null;
    this.size = { width: 0, height: 0, em: 16 };
  }

  /** Takes the size that the page gives; everything is drawn anew if it has changed. */
  measure() {
    const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const { clientWidth: width, clientHeight: height } = this.element;
    const changed = width !== this.size.width || height !== this.size.height || em !== this.size.em;
    this.size = { width, height, em };
    return changed;
  }

  /**
   * Shows a figure that may be followed by others at once; `settle` is called once none has followed.
   * @param {Figure} figure
   */
  draw(figure) {
    const before = this.figure;
    this.figure = figure;
    if (before === null || this.size.width === 0) return this.settle();
    if (sameFrame(before, figure) && hasNodes(this.element, figure)) {
      drawLive(this.element, before, figure);
    } else {
      this.settled = null;
      this.react(figure, 0);
    }
    drawHeatmaps(this.element, figure);
  }

  /**
   * Shows a figure that stays.
   * @param {Figure} figure
   */
  rest(figure) {
    this.figure = figure;
    this.settle();
  }

  /** Lets Plotly draw the figure that is seen, if it has not. */
  settle() {
    if (this.figure === null || this.settled === this.figure || this.size.width === 0) return;
    this.settled = this.figure;
    this.react(this.figure, MOST_CELLS);
    drawHeatmaps(this.element, this.figure);
  }

  /**
   * Lets Plotly draw a figure, without the cells of a heatmap that has more of them.
   * @private
   * @param {Figure} figure
   * @param {number} most cells
   */
  react(figure, most) {
    const { data, layout } = this.dressed(figure);
    release(this.element);
    this.plotly.react(this.element, data.map((/** @type {any} */ trace) => framed(trace, most)), layout, CONFIG);
  }

  /** Draws anew, in other colours or another size. */
  refresh() {
    this.settled = null;
    this.settle();
  }

  /**
   * Returns the figure as Plotly takes it: with this page's colours, size and type.
   * @param {Figure} figure
   */
  dressed(figure) {
    const { data, layout } = withColours(figure);
    const scale = this.size.em / 16;
    const narrow = this.size.width < 420 * scale;
    const margin = Object.fromEntries(Object.entries(layout.margin).map(([side, pixels]) => [side, Number(pixels) * scale]));
    if (narrow && margin.l > 80 * scale) margin.l = 84 * scale;
    const nticks = layout.xaxis?.nticks; // more of them would be turned to fit, and lie on the axis's title
    const xaxis = narrow && nticks ? { ...layout.xaxis, nticks: Math.min(nticks, NARROW_TICKS) } : layout.xaxis;
    const family = getComputedStyle(document.body).fontFamily;
    return { data: data.map((/** @type {any} */ trace) => scaled(trace, scale)), layout: { ...layout, xaxis, margin, hovermode: false, autosize: false, dragmode: false,
      width: this.size.width, height: this.size.height, font: { ...layout.font, family, size: 12 * scale } } };
  }

  /**
   * Returns a picture of the figure as a PNG's data URL, on the page's surface.
   * @returns {Promise<string>}
   */
  png() {
    if (this.figure === null) throw new Error("there is no picture yet");
    const { data, layout } = this.dressed(this.figure);
    return this.plotly.toImage({ data, layout: { ...layout, paper_bgcolor: colour("surface") }, config: CONFIG },
      { format: "png", width: this.size.width, height: this.size.height, scale: 2 });
  }

  /**
   * Returns where the time axis lies in the element, or null before anything is drawn.
   * @returns {{left: number, width: number, top: number, height: number, range: number[]} | null}
   */
  timeAxis() {
    const layout = /** @type {any} */ (this.element)._fullLayout;
    if (!layout?.xaxis) return null;
    const { _size: size, xaxis } = layout;
    return { left: xaxis._offset, width: xaxis._length, top: size.t, height: size.h, range: xaxis.range };
  }

  /**
   * Returns the vertical place of a value on the first vertical axis, in pixels of the element.
   * @param {number} value
   */
  placeY(value) {
    const axis = /** @type {any} */ (this.element)._fullLayout?.yaxis;
    return axis ? axis._offset + axis.c2p(value) : null;
  }
}

/**
 * Returns a heatmap of more cells without them: Plotly gives it axes and a scale, and the canvas has its cells.
 * @param {any} trace
 * @param {number} most
 */
function framed(trace, most) {
  if (trace.type !== "heatmap" || trace.z.length * (trace.z[0]?.length ?? 0) <= most) return trace;
  const corners = (/** @type {ArrayLike<number>} */ centres) => [centres[0], centres[centres.length - 1]];
  const { zmin } = trace; // without a single number, Plotly would leave out the scale too
  return { ...trace, x: corners(trace.x), y: corners(trace.y), z: [[zmin, zmin], [zmin, zmin]] };
}

/**
 * @param {any} trace
 * @param {number} scale
 */
function scaled(trace, scale) {
  if (scale === 1 || !trace.line?.width) return trace;
  return { ...trace, line: { ...trace.line, width: trace.line.width * scale } };
}
