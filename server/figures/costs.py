"""What truncation costs: angle, kept share and relative error, whole and by parameter block."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.traces import Analysis, Comparison
from server.figures.base import Figure, Trace, axis, plain
from server.figures.base import figure as framed

LONGEST_NAME = 14


def figure(analysis: Analysis) -> Figure:
    """Returns three rows of bars side by side, the whole gradient on top.

    A block whose full gradient is zero has no bar."""
    rows = [("whole", analysis.costs.whole), *analysis.costs.blocks.items()]
    rows = rows[::-1]
    angle, kept, error = (column(rows, field) for field in ("angle", "kept", "relative_error"))
    names = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name, _ in rows]
    shared: dict[str, Any] = {
        "range": [-0.6, len(rows) - 0.4],
        "tickvals": list(range(len(rows))),
        "showgrid": False,
    }
    return framed(
        [
            bars(angle, "angle", "x", "y"),
            bars(kept, "kept share", "x2", "y2"),
            bars(error, "relative error", "x3", "y3"),
        ],
        xaxis=axis(
            "angle, °",
            domain=[0, 0.28],
            anchor="y",
            range=[0, 95 if peak(angle) <= 90 else 180],
            tickvals=[0, 45, 90, 135, 180],
            ticktext=["0", "45", "90", "135", "180"],
        ),
        xaxis2=axis("kept", domain=[0.36, 0.64], anchor="y2", **span(kept)),
        xaxis3=axis("error", domain=[0.72, 1], anchor="y3", **span(error)),
        yaxis=axis(None, **{**shared, "ticktext": names}),
        yaxis2=axis(None, **{**shared, "anchor": "x2", "showticklabels": False}),
        yaxis3=axis(None, **{**shared, "anchor": "x3", "showticklabels": False}),
        showlegend=False,
        margin={"l": 108, "r": 18, "t": 16, "b": 48},
    )


def column(rows: list[tuple[str, Comparison]], field: str) -> Floats:
    values = np.array([getattr(comparison, field) for _, comparison in rows], dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def peak(values: Floats) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def span(values: Floats) -> dict[str, Any]:
    """Returns a range from zero, or below it, to one, or to the next 1, 2 or 5 times a power of ten."""
    high = nice(max(1.0, peak(values)))
    low = -nice(max(0.0, peak(-values)))
    apart = 0.3 * (high - low)  # so that the labels do not run into each other on a telephone
    shown = [0.0]
    for value in (high, low, high / 2):
        if all(abs(value - other) >= apart for other in shown):
            shown.append(value)
    ticks = sorted(shown)
    return {"range": [low * 1.05, high * 1.05], "tickvals": ticks, "ticktext": [plain(value) for value in ticks]}


def nice(value: float) -> float:
    if value <= 0:
        return 0.0
    scale: float = 10.0 ** math.floor(math.log10(value))
    return next(digit * scale for digit in (1, 2, 5, 10) if digit * scale >= value * (1 - 1e-9))


def bars(values: Floats, name: str, x: str, y: str) -> Trace:
    """Returns bars drawn as thick lines from zero."""
    lengths = np.full(3 * values.size, np.nan)
    lengths[0::3], lengths[1::3] = np.where(np.isnan(values), np.nan, 0.0), values
    places = np.repeat(np.arange(values.size, dtype=np.float64), 3)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": lengths,
        "y": places,
        "name": name,
        "xaxis": x,
        "yaxis": y,
        "line": {"color": "var(--truncated)", "width": 9, "simplify": False},
    }
