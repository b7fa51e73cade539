"""Singular values of the step Jacobians along the sequence."""

from __future__ import annotations

from typing import Any

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure, steps_of, time_axis
from server.figures.curves import level, log_curves


def figure(analysis: Analysis) -> Figure:
    """Returns the largest and the smallest singular value at every step that was looked at; 1 keeps lengths."""
    found = analysis.spectrum
    assert found is not None
    curves: list[tuple[str, Array, Array, str, dict[str, Any]]] = []
    for name, values, color, dash in (("largest", found.largest, "var(--full)", "solid"),
                                      ("smallest", found.smallest, "var(--truncated)", "7px,4px")):
        more = {"mode": "lines+markers", "marker": {"size": 5, "color": color}, "dash": dash}
        curves.append((f"{name} singular value", found.steps, values, color, more))
    span = [-0.5, steps_of(analysis) - 0.5]
    return log_curves(curves, time_axis(analysis), "singular values of ds<sub>t</sub>/ds<sub>t−1</sub>",
                      [level("1: lengths are kept", span, 1.0)])
