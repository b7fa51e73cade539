"""The units of the top layer over time, for the first sample: carried above, reset below."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.traces import Analysis, Floats
from server.figures.base import Figure, Trace, axis, time_axis
from server.figures.base import figure as framed
from server.figures.bins import MOST, bin_starts, centres

COLORS = [[i / 3, f"var(--unit-{i})"] for i in range(4)]


def figure(analysis: Analysis) -> Figure:
    """Returns two heatmaps of h, from -1 to 1, over one time axis."""
    carry = analysis.carry_over
    units = carry.units_carried.shape[1]
    rows: dict[str, Any] = {"range": [-0.5, units - 0.5], "showgrid": False, "nticks": 4}
    bar = {
        "thickness": 11,
        "outlinewidth": 0,
        "xpad": 6,
        "tickvals": [-1, -0.5, 0, 0.5, 1],
        "title": {"text": "h", "side": "right"},
    }
    return framed(
        [
            heatmap(carry.units_carried, "carried", "x", "y", colorbar=bar),
            heatmap(carry.units_reset, "reset", "x", "y2", showscale=False),
        ],
        xaxis=time_axis(analysis, anchor="y2"),
        yaxis=axis("unit", domain=[0.54, 1], **rows),
        yaxis2=axis("unit", domain=[0, 0.46], anchor="x", **rows),
        showlegend=False,
        margin={"l": 62, "r": 76, "t": 40, "b": 44},
        annotations=[label("state carried", 1.0), label("state reset at each window's start", 0.46)],
    )


def heatmap(units: Floats, name: str, x: str, y: str, **more: Any) -> Trace:
    """Returns one heatmap; many steps are shown by the mean of each few."""
    starts = bin_starts(units.shape[0], MOST)
    sizes = np.diff(np.append(starts, units.shape[0]))
    means = np.add.reduceat(units, starts, axis=0) / sizes[:, None]
    return {
        "type": "heatmap",
        "z": np.ascontiguousarray(means.T, dtype=np.float32),
        "x": centres(starts, units.shape[0]),
        "y": np.arange(units.shape[1], dtype=np.float64),
        "name": name,
        "uid": name,
        "xaxis": x,
        "yaxis": y,
        "zmin": -1,
        "zmax": 1,
        "zauto": False,
        "colorscale": COLORS,
        **more,
    }


def label(text: str, y: float) -> dict[str, Any]:
    return {
        "text": text,
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": y,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": "var(--ink)"},
    }
