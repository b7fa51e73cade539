"""How long each unit remembers by its retaining gate alone, sorted, beside the length of the sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure, axis
from server.figures.curves import level, log_curves


def figure(analysis: Analysis) -> Figure:
    """Returns the units' memory lengths, descending, on a log axis."""
    found = analysis.gates
    assert found is not None
    assert found.memory is not None
    ranks, steps = np.arange(1, len(found.memory) + 1), analysis.plan.cut.shape[0]
    more: dict[str, Any] = {"mode": "lines+markers", "marker": {"size": 5, "color": "var(--way-forget)"}}
    curves: list[tuple[str, Array, Array, str, dict[str, Any]]] = []
    curves.append(("memory of each unit", ranks, found.memory, "var(--way-forget)", more))
    ends = np.array([0.0, len(ranks) + 1.0])
    curves.append(("T, the sequence", ends, np.full(2, float(steps)), "var(--ink-soft)", {"dash": "2px,3px"}))
    xaxis = axis("units, the longest memory first", range=[0.4, len(ranks) + 0.6], showgrid=False, nticks=8)
    return log_curves(curves, xaxis, "memory, steps", [level("one step", [0.0, len(ranks) + 1.0], 1.0)])
