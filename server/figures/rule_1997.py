"""The rule of 1997 (the product of the forget gates) beside the true gradient of the last loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure, time_axis
from server.figures.curves import log_curves


def figure(analysis: Analysis) -> Figure:
    """Returns both on one log axis; without forget gates, the truth alone."""
    found = analysis.paths
    assert found is not None
    assert found.truth is not None
    steps = np.arange(analysis.plan.cut.shape[0])
    curves: list[tuple[str, Array, Array, str, dict[str, Any]]] = []
    curves.append(("the true gradient", steps, found.truth, "var(--full)", {"width": 3}))
    if found.rule is not None:
        curves.append(("the 1997 rule", steps, found.rule, "var(--way-forget)", {"dash": "7px,4px", "width": 2.5}))
    letter = "c" if analysis.truncated.c is not None else "h"
    return log_curves(curves, time_axis(analysis), f"‖dL<sub>s</sub>/d{letter}<sub>t</sub>‖ of the last loss")
