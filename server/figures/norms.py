"""Norms of dL/dh_t and dL/dc_t at every step: truncated beside full, on one absolute log axis."""

from __future__ import annotations

from typing import Any

from engine.arrays import Floats
from engine.traces import Analysis
from server.figures.base import Figure, log_lines


def figure(analysis: Analysis) -> Figure:
    """Returns the figure: full BPTT solid, truncated dashed; the cell state's thin."""
    full, truncated = analysis.full, analysis.truncated
    traces: list[tuple[str, Floats, str, dict[str, Any]]] = [
        ("full", full.h, "var(--full)", {"width": 2.5}),
        ("truncated", truncated.h, "var(--truncated)", {"width": 2.5, "dash": "6px,3px"}),
    ]
    if full.c is not None and truncated.c is not None:
        traces += [
            ("full, c", full.c, "var(--full)", {"width": 1.25, "opacity": 0.75}),
            (
                "truncated, c",
                truncated.c,
                "var(--truncated)",
                {"width": 1.25, "dash": "4px,3px", "opacity": 0.75},
            ),
        ]
    return log_lines(analysis, traces, "‖dL/dh<sub>t</sub>‖, mean over the batch")
