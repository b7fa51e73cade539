"""The state gradient at every step, split by the way it came: signed shares, which sum to 1. Lines, for signs mix."""

from __future__ import annotations

import numpy as np

from engine.traces import Analysis
from server.figures.base import Figure, time_axis
from server.figures.base import figure as framed
from server.figures.curves import WAYS, level, nothing, share_axis, straight


def figure(analysis: Analysis) -> Figure:
    """Returns a line a way."""
    found = analysis.paths
    assert found is not None
    steps = np.arange(analysis.plan.cut.shape[0])
    data = [level("all ways together", [-0.5, len(steps) - 0.5], 1.0), level("nothing", [-0.5, len(steps) - 0.5], 0.0)]
    for name, share in found.shares.items():
        color, dash = WAYS[name.removesuffix(" gate")]
        data.append(straight(name, steps, share, color, dash=dash, width=3 if name == "highway" else 2))
    return framed(
        data,
        xaxis=time_axis(analysis),
        yaxis=share_axis(f"signed share of dL/d{found.of}<sub>t</sub>", list(found.shares.values())),
        margin={"l": 62, "r": 14, "t": 62, "b": 44},
        annotations=nothing(list(found.shares.values())),
    )
