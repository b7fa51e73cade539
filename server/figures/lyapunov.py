"""Lyapunov exponents along the sequence, sorted: below 0 a direction shrinks, above it grows."""

from __future__ import annotations

import numpy as np

from engine.traces import Analysis
from server.figures.base import Figure, axis
from server.figures.base import figure as framed
from server.figures.curves import level, nothing, on_rail, straight


def figure(analysis: Analysis) -> Figure:
    """Returns the exponents; a direction that is lost altogether (minus infinity) is marked below."""
    found = analysis.spectrum
    assert found is not None
    exponents, ranks = found.lyapunov, np.arange(1, len(found.lyapunov) + 1)
    finite = exponents[np.isfinite(exponents)]
    low, high = min(-0.1, float(finite.min(initial=0.0))), max(0.1, float(finite.max(initial=0.0)))
    room = 0.08 * (high - low)
    data = [
        level("0: lengths are kept", [0.0, len(ranks) + 1.0], 0.0, line={"color": "var(--ink)", "dash": "solid"}),
        straight("Lyapunov exponents", ranks, exponents, "var(--full)", mode="lines+markers", width=1.5,
                 marker={"size": 5, "color": "var(--full)"}),
        on_rail("minus infinity", ranks, ~np.isfinite(exponents), low - 1.4 * room, "var(--over)"),
    ]
    return framed(
        data,
        xaxis=axis("directions, the longest-lived first", range=[0.4, len(ranks) + 0.6], showgrid=False, nticks=8),
        yaxis=axis("exponent, per step", range=[low - 2 * room, high + room], nticks=7),
        annotations=nothing([exponents]),
    )
