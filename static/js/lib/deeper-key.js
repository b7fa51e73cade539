/** The key of a picture, from its traces: a pure function. Beside the picture it can wrap, which Plotly's own cannot on a phone. */

/** @typedef {{name: string, kind: "line" | "points" | "area", color: string, width: number, dash: string}} Entry dash: as SVG writes it */

/**
 * Returns an entry for every trace that has one in Plotly's key.
 * @param {{data: any[]}} figure
 * @returns {Entry[]}
 */
export function entries({ data }) {
  return data.filter((trace) => trace.showlegend !== false).map((trace) => {
    const kind = trace.fill ? "area" : trace.mode === "markers" ? "points" : "line";
    const color = kind === "points" ? trace.marker.color : kind === "area" ? trace.fillcolor : trace.line.color;
    return { name: trace.name, kind, color, width: trace.line?.width ?? 2, dash: dashes(trace.line?.dash) };
  });
}

/** @param {string | undefined} dash as Plotly takes it: "solid", or "6px,3px" */
function dashes(dash) {
  return dash === undefined || dash === "solid" ? "none" : dash.replaceAll("px", "").replaceAll(",", " ");
}

/**
 * Returns the figure without Plotly's own key and the room that it takes.
 * @param {{data: any[], layout: any}} figure
 */
export function withoutKey(figure) {
  const { layout } = figure;
  return { ...figure, layout: { ...layout, showlegend: false, margin: { ...layout.margin, t: 12 } } };
}
