"""Each step's part in the gradient of each weight block: truncated above, full below, on the shared scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.traces import Analysis
from server.figures.base import Figure, Trace, axis, time_axis
from server.figures.base import figure as framed
from server.figures.bins import bin_starts, centres, largest
from server.figures.carry_units import label
from server.figures.costs import LONGEST_NAME
from server.figures.scale import colorbar, heatmap, to_z

MOST_LABELS = 7  # that have room one under the other; of more blocks every second or third is named


def figure(analysis: Analysis) -> Figure:
    """Returns two heatmaps, one row a block."""
    names = list(analysis.truncated.contributions)[::-1]
    short = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names]
    every = -(-len(names) // MOST_LABELS)
    rows: dict[str, Any] = {
        "range": [-0.5, max(1, len(names)) - 0.5],
        "showgrid": False,
        "tickvals": list(range(0, len(names), every)),
        "ticktext": short[::every],
    }
    return framed(
        [
            blocks(
                analysis.truncated.contributions,
                names,
                "truncated",
                "y",
                colorbar=colorbar("norm of the step's term"),
            ),
            blocks(analysis.full.contributions, names, "full", "y2", showscale=False),
        ],
        xaxis=time_axis(analysis, anchor="y2"),
        yaxis=axis(None, **{**rows, "domain": [0.54, 1]}),
        yaxis2=axis(None, **{**rows, "domain": [0, 0.46], "anchor": "x"}),
        showlegend=False,
        margin={"l": 108, "r": 76, "t": 40, "b": 44},
        annotations=[label("truncated", 1.0), label("full BPTT", 0.46)],
    )


def blocks(contributions: dict[str, Floats], names: list[str], name: str, y: str, **more: Any) -> Trace:
    """Returns one heatmap (blocks x steps)."""
    values = np.stack([contributions[block] for block in names])
    starts = bin_starts(values.shape[1])
    return heatmap(
        to_z(largest(values, 1)),
        x=centres(starts, values.shape[1]),
        y=np.arange(len(names), dtype=np.float64),
        name=name,
        uid=name,
        xaxis="x",
        yaxis=y,
        **more,
    )
