"""How far off each draw of random(p) is, sorted, and how far off their mean is."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure, axis
from server.figures.curves import log_curves


def figure(analysis: Analysis) -> Figure:
    """Returns a point a draw, and a line for the mean of all."""
    found = analysis.draws
    assert found is not None
    errors = np.sort(found.relative_error)
    ranks, ends = np.arange(1, len(errors) + 1), np.array([0.0, len(errors) + 1.0])
    points: dict[str, Any] = {"mode": "markers", "marker": {"size": 7, "color": "var(--truncated)"}}
    curves: list[tuple[str, Array, Array, str, dict[str, Any]]] = []
    curves.append(("one draw", ranks, errors, "var(--truncated)", points))
    curves.append((f"mean of the {len(errors)}", ends, np.full(2, found.mean_error), "var(--ink)", {"dash": "6px,3px"}))
    xaxis = axis("draws, the luckiest first", range=[0.2, len(ranks) + 0.8], showgrid=False, nticks=8)
    return log_curves(curves, xaxis, "relative error of the gradient")
