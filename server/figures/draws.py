"""Many draws of random(p): the norm of dL/dh_t over the draws, its mean and spread, beside the full gradient's."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure, Trace, decades, time_axis
from server.figures.curves import log_curves


def figure(analysis: Analysis) -> Figure:
    """Returns the full gradient, the draws' mean, and a band of one standard deviation about it."""
    found = analysis.draws
    assert found is not None
    steps = np.arange(analysis.plan.cut.shape[0])
    curves: list[tuple[str, Array, Array, str, dict[str, Any]]] = []
    curves.append(("full", steps, analysis.full.h, "var(--full)", {"width": 3}))
    curves.append(("mean over the draws", steps, found.h_mean, "var(--truncated)", {"dash": "6px,3px", "width": 2.5}))
    band_ = band(steps, found.h_mean, found.h_spread, 10.0 ** (decades([analysis.full.h, found.h_mean])[0] - 1))
    return log_curves(curves, time_axis(analysis), "‖dL/dh<sub>t</sub>‖, mean over the batch", [band_],
                      margin={"l": 62, "r": 14, "t": 62, "b": 44})


def band(x: Array, mean: Array, spread: Array, floor: float) -> Trace:
    """Returns the area between mean - spread and mean + spread, cut off below at the axis' floor."""
    shown = np.isfinite(mean) & np.isfinite(spread) & (mean > 0)
    x, mean, spread = x[shown].astype(np.float64), mean[shown], spread[shown]
    above, below = mean + spread, np.maximum(mean - spread, floor)
    return {"type": "scatter", "mode": "lines", "name": "one standard deviation",
            "x": np.concatenate([x, x[::-1]]), "y": np.concatenate([above, below[::-1]]),
            "fill": "toself", "fillcolor": "var(--truncated-soft)",
            "line": {"width": 0, "color": "var(--truncated-soft)", "simplify": False}}
