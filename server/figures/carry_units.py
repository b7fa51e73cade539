"""The units of the top layer over time, for the first sample: carried above, reset below."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.traces import Analysis
from server.figures.base import Figure, Trace, axis, plain, time_axis
from server.figures.base import figure as framed
from server.figures.bins import MOST, bin_starts, centres

COLORS = [[i / 3, f"var(--unit-{i})"] for i in range(4)]


def figure(analysis: Analysis) -> Figure:
    """Returns two heatmaps of h over one time axis, both on one scale about zero."""
    carry = analysis.carry_over
    most = bound(carry.units_carried, carry.units_reset)
    units = carry.units_carried.shape[1]
    rows: dict[str, Any] = {"range": [-0.5, units - 0.5], "showgrid": False, "nticks": 4}
    ticks = [-most, -most / 2, 0, most / 2, most]
    bar = {
        "thickness": 11,
        "outlinewidth": 0,
        "xpad": 6,
        "tickvals": ticks,
        "ticktext": [plain(value) for value in ticks],
        "title": {"text": "h", "side": "right"},
    }
    return framed(
        [
            heatmap(carry.units_carried, most, "carried", "x", "y", colorbar=bar),
            heatmap(carry.units_reset, most, "reset", "x", "y2", showscale=False),
        ],
        xaxis=time_axis(analysis, anchor="y2"),
        yaxis=axis("unit", domain=[0.54, 1], **rows),
        yaxis2=axis("unit", domain=[0, 0.46], anchor="x", **rows),
        showlegend=False,
        margin={"l": 62, "r": 92, "t": 40, "b": 44},  # wide enough for every scale
        annotations=[label("carried", 1.0), label("reset at each window", 0.46)],
    )


def bound(*units: Floats) -> float:
    """Returns the least of 0.1, 0.25, 0.5 and 1 that holds every unit's value; 1 where some are not finite."""
    largest = max(float(np.abs(values).max(initial=0.0)) for values in units)
    return next((most for most in (0.1, 0.25, 0.5) if largest <= most), 1.0)


def heatmap(units: Floats, most: float, name: str, x: str, y: str, **more: Any) -> Trace:
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
        "zmin": -most,
        "zmax": most,
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
