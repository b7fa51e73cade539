"""From what a trace holds to what a figure may: columns to steps, and its own names to plain ones. (leaf)"""

from __future__ import annotations

import numpy as np

from server.figures.base import Figure


def plain(name: str) -> str:
    """Returns a name of the trace's own as Plotly may have it, which would read tags and entities in it."""
    return name.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}").replace("&", "+")


def in_steps(figure: Figure, stride: int) -> Figure:
    """Returns the figure with its horizontal axis in steps; a column's middle stands at the middle of its steps."""
    if stride == 1:
        return figure
    for trace in figure["data"]:
        trace["x"] = (np.asarray(trace["x"], dtype=np.float64) + 0.5) * stride - 0.5
    axis = figure["layout"]["xaxis"]
    axis["range"] = [(end + 0.5) * stride - 0.5 for end in axis["range"]]
    return figure
