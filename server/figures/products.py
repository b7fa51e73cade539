"""Products of step Jacobians over lags, beside the bound that their single factors give."""

from __future__ import annotations

import math

import numpy as np

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure, axis, power
from server.figures.base import figure as framed
from server.figures.curves import count_axis, level, nothing, on_rail, straight


def figure(analysis: Analysis) -> Figure:
    """Returns the largest singular value of the product, and the bound, which lies above it at every lag.

    The axis is one of logarithms: both may be far outside what double precision can hold."""
    found = analysis.spectrum
    assert found is not None
    low, high = bounds([found.log10_product, found.log10_bound])
    room, last = 0.06 * (high - low), int(found.lags.max(initial=1))
    lost = np.isneginf(found.log10_product)
    data = [
        level("1: lengths are kept", [0.5, 2.0 * last], 0.0),
        straight("upper bound", found.lags, found.log10_bound, "var(--ink-soft)", dash="2px,3px", width=2),
        straight("the product itself", found.lags, found.log10_product, "var(--full)", mode="lines+markers", width=2.5,
                 marker={"size": 6, "color": "var(--full)"}),
        on_rail("exactly 0", found.lags, lost, low - room, "var(--full)"),
    ]
    every = max(1, math.ceil((high - low) / 6))
    ticks = list(range(every * math.ceil(low / every), high + 1, every))
    return framed(
        data,
        xaxis=count_axis("lag, steps back from the last", last),
        yaxis=axis("largest singular value", range=[low - 2 * room, high + room], tickmode="array",
                   tickvals=ticks, ticktext=[power(e) for e in ticks]),
        annotations=nothing([found.log10_product]),
    )


def bounds(values: list[Array]) -> tuple[int, int]:
    """Returns whole exponents that hold 0 and every finite value."""
    finite = np.concatenate([array[np.isfinite(array)] for array in values])
    return math.floor(finite.min(initial=-1.0)), math.ceil(finite.max(initial=1.0))
