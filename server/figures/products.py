"""Products of step Jacobians over lags, beside the bound that their single factors give."""

from __future__ import annotations

from typing import Any

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure
from server.figures.curves import count_axis, level, log_curves


def figure(analysis: Analysis) -> Figure:
    """Returns the largest singular value of the product, and the bound, which lies above it at every lag."""
    found = analysis.spectrum
    assert found is not None
    points = {"mode": "lines+markers", "marker": {"size": 6, "color": "var(--full)"}, "width": 2.5}
    bound: dict[str, Any] = {"dash": "2px,3px", "width": 2}
    curves: list[tuple[str, Array, Array, str, dict[str, Any]]] = []
    curves.append(("upper bound: product of the largest", found.lags, found.bound, "var(--ink-soft)", bound))
    curves.append(("the product itself", found.lags, found.product_largest, "var(--full)", points))
    last = int(found.lags[-1])
    return log_curves(curves, count_axis("lag, steps back from the last", last), "largest singular value",
                      [level("1: lengths are kept", [0.5, 2.0 * last], 1.0)],
                      margin={"l": 62, "r": 14, "t": 62, "b": 44})
