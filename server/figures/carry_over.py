"""The carried run beside the run that is reset at each window's start: norms of the states, and distance."""

from __future__ import annotations

from engine.traces import Analysis
from server.figures.base import Figure, log_lines


def figure(analysis: Analysis) -> Figure:
    """Returns the figure: carried solid, reset dashed, and the distance between the two."""
    carry = analysis.carry_over
    return log_lines(
        analysis,
        [
            ("carried", carry.carried, "var(--value)", {"width": 2}),
            ("reset", carry.reset, "var(--value)", {"width": 2, "dash": "5px,4px"}),
            ("distance", carry.distance, "var(--ink)", {"width": 2.5, "dash": "2px,2px"}),
        ],
        "‖state‖, mean over the batch",
    )
