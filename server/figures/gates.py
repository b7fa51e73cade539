"""The gates over time: how open they are on the mean, and what share of their units is saturated."""

from __future__ import annotations

import numpy as np

from engine.traces import Analysis
from server.figures.base import Figure, Trace, axis, time_axis
from server.figures.base import figure as framed
from server.figures.carry_units import label
from server.figures.curves import WAYS, straight


def figure(analysis: Analysis) -> Figure:
    """Returns three rows over one time axis: mean activity; units above 0.9; units below 0.1."""
    found = analysis.gates
    assert found is not None
    steps = np.arange(analysis.plan.cut.shape[0])
    data: list[Trace] = []
    rows = ((found.mean, "y"), (found.open, "y2"), (found.closed, "y3"))
    for shares, y in rows:
        for name, share in shares.items():
            color, dash = WAYS[name]
            data.append(straight(f"{name} gate", steps, share, color, dash=dash, yaxis=y, showlegend=y == "y"))
    half = {"range": [-0.05, 1.05], "tickvals": [0, 0.5, 1]}
    return framed(
        data,
        xaxis=time_axis(analysis, anchor="y3"),
        yaxis=axis(None, domain=[0.68, 0.94], **half),
        yaxis2=axis(None, domain=[0.34, 0.6], anchor="x", **half),
        yaxis3=axis(None, domain=[0, 0.26], anchor="x", **half),
        annotations=[label("mean over units and batch", 0.94), label("share of units above 0.9 (open)", 0.6),
                     label("share of units below 0.1 (shut)", 0.26)],
        margin={"l": 46, "r": 14, "t": 40, "b": 44},
    )
