"""What the deeper figures share: lines over any axis, marks at its rails, levels, and a word where there is nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.arrays import Array
from server.figures.base import Axis, Figure, Trace, axis, decades, line, log_axis, rail_gap
from server.figures.base import figure as framed

WAYS = {  # one colour and one dash for each way that a gradient can take: never told apart by colour alone
    "highway": ("var(--way-highway)", "solid"), "recurrence": ("var(--way-highway)", "solid"),
    "input": ("var(--way-input)", "7px,3px"), "reset": ("var(--way-input)", "7px,3px"),
    "forget": ("var(--way-forget)", "solid"), "update": ("var(--way-forget)", "solid"),
    "candidate": ("var(--way-candidate)", "2px,2px"),
    "output": ("var(--way-output)", "9px,3px,2px,3px"),
    "readout": ("var(--way-readout)", "1px,3px"),
}


def curve(name: str, x: Array, y: Array, color: str, **more: Any) -> Trace:
    """Returns a line over any x, broken where y is zero, infinite or undefined."""
    return line(name, np.asarray(y, dtype=np.float64), color, x=np.asarray(x, dtype=np.float64), **more)


def straight(name: str, x: Array, y: Array, color: str, **more: Any) -> Trace:
    """Returns a line on a linear axis, where zero is a value like any other."""
    trace = curve(name, x, y, color, **more)
    values = np.asarray(y, dtype=np.float64)
    return {**trace, "y": np.where(np.isfinite(values), values, np.nan)}


def level(name: str, span: list[float], y: float, **more: Any) -> Trace:
    """Returns a thin horizontal line, from the first x to the last."""
    style = {"color": "var(--rule-strong)", "width": 1, "dash": "2px,3px", "simplify": False, **more.pop("line", {})}
    return {"type": "scatter", "mode": "lines", "name": name, "x": np.array(span), "y": np.array([y, y]),
            "showlegend": False, "line": style, **more}


def upright(name: str, x: float, low: float, high: float, **more: Any) -> Trace:
    """Returns a vertical line at x; none where x is NaN."""
    style = {"color": "var(--ink)", "width": 1.5, "dash": "solid", "simplify": False, **more.pop("line", {})}
    return {"type": "scatter", "mode": "lines", "name": name, "x": np.array([x, x]), "y": np.array([low, high]),
            "line": style, **more}


def on_rail(name: str, x: Array, marked: Array, height: float, color: str) -> Trace:
    """Returns short dashes at one height over the marked x."""
    places = np.asarray(x, dtype=np.float64)[np.asarray(marked, dtype=bool)]
    mark = {"symbol": "line-ew", "size": 7, "line": {"width": 3, "color": color}}
    return {"type": "scatter", "mode": "markers", "name": name, "x": places, "y": np.full(places.size, height),
            "showlegend": False, "marker": mark}


def log_curves(curves: list[tuple[str, Array, Array, str, dict[str, Any]]], xaxis: Axis, title: str,
               extra: list[Trace] | None = None, **layout: Any) -> Figure:
    """Returns curves (name, x, y, colour, more) on one absolute log axis, with rails for 0 and infinity."""
    values = [np.asarray(y, dtype=np.float64) for _, _, y, _, _ in curves]
    low, high = decades(values)
    gap = rail_gap(low, high)
    zeros, infinities = any((y == 0).any() for y in values), any(np.isinf(y).any() for y in values)
    data = [*(extra or [])] + [curve(name, x, y, color, **more) for name, x, y, color, more in curves]
    for name, x, y, color, _ in curves:
        if (np.asarray(y) == 0).any():
            data.append(on_rail(f"{name}: exactly 0", x, y == 0, 10.0 ** (low - gap), color))
        if np.isinf(y).any():
            data.append(on_rail(f"{name}: infinite", x, np.isinf(y), 10.0 ** min(high + gap, 308), "var(--over)"))
    layout.setdefault("annotations", nothing(values))
    return framed(data, xaxis=xaxis, yaxis=log_axis(title, low, high, zeros=zeros, infinities=infinities), **layout)


def nothing(values: list[Array]) -> list[dict[str, Any]]:
    """Returns a word in the middle of a picture without a single finite value; else none."""
    if any(np.isfinite(y).any() for y in values):
        return []
    return [{"text": "not one finite number: there is nothing to draw", "x": 0.5, "xref": "paper", "xanchor": "center",
             "y": 0.5, "yref": "paper", "showarrow": False, "font": {"color": "var(--ink)"}}]


def count_axis(title: str, last: int, **more: Any) -> Axis:
    """Returns a logarithmic axis over 1 ... last."""
    ticks = [value for power in range(7) for digit in (1, 2, 5) if (value := digit * 10**power) <= last]
    ticks = ticks if len(ticks) <= 8 else [value for value in ticks if str(value)[0] == "1" or len(ticks) <= 12]
    span = [math.log10(0.88), math.log10(max(last, 2) * 1.14)]
    return axis(title, type="log", range=span, tickmode="array", tickvals=ticks,
                ticktext=[f"{value:,}" for value in ticks], **{"showgrid": False, **more})


def share_axis(title: str | None, values: list[Array], **more: Any) -> Axis:
    """Returns a linear axis that holds 0, 1 and every finite value, with some room."""
    finite = np.concatenate([y[np.isfinite(y)] for y in values] or [np.zeros(0)])
    low, high = min(0.0, float(finite.min(initial=0.0))), max(1.0, float(finite.max(initial=1.0)))
    room = 0.06 * (high - low)
    return axis(title, range=[low - room, high + room], **{"nticks": 6, **more})
