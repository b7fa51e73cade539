"""What all figures share: the frame, the axes over time and over norms, lines, and marks for the unusual."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Floats
from engine.traces import PlanView

Figure = dict[str, Any]
Trace = dict[str, Any]
Axis = dict[str, Any]


class Planned(Protocol):
    """What has a plan over time steps: an analysis, or a recorded trace."""

    @property
    def plan(self) -> PlanView: ...


MOST_EDGES = 120
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(data: list[Trace], **layout: Any) -> Figure:
    """Returns a figure with our frame. Margins are fixed, so that nothing moves when numbers change."""
    for index, trace in enumerate(data):
        trace.setdefault("uid", f"u{index}")
    frame: dict[str, Any] = {
        "margin": {"l": 62, "r": 14, "t": 40, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "var(--ink-soft)"},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
            "bgcolor": "rgba(0,0,0,0)",
            "font": {"color": "var(--ink)"},
        },
        "showlegend": True,
        "uirevision": "unrolled",
    }
    return {"data": data, "layout": {**frame, **layout}}


def axis(title: str | None, **more: Any) -> Axis:
    """Returns a linear axis with our look."""
    return {
        "title": {"text": title, "standoff": 8} if title else None,
        "gridcolor": "var(--grid)",
        "linecolor": "var(--rule-strong)",
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "var(--rule-strong)",
        "automargin": False,
        **more,
    }


def time_axis(analysis: Planned, title: str = "step t", **more: Any) -> Axis:
    """Returns the axis over all steps: the same in every picture."""
    span = [-0.5, steps_of(analysis) - 0.5]
    return axis(title, **{"range": span, "showgrid": False, "nticks": 8, **more})


def steps_of(analysis: Planned) -> int:
    return int(analysis.plan.cut.shape[0])


def decades(values: list[Floats]) -> tuple[int, int]:
    """Returns powers of ten (low, high) that hold every positive finite value.

    They are rounded outwards, so that an axis rests while a slider moves."""
    low, high = math.inf, -math.inf
    for array in values:
        positive = array[np.isfinite(array) & (array > 0)]
        if positive.size:
            low, high = min(low, float(positive.min())), max(high, float(positive.max()))
    if high < low:
        return -3, 1
    bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
    round_to = 2 if top - bottom <= 12 else 5 if top - bottom <= 40 else 20
    bottom, top = round_to * math.floor(bottom / round_to), round_to * math.ceil(top / round_to)
    return (bottom, top) if top > bottom else (bottom, bottom + round_to)


def power(exponent: int) -> str:
    return {0: "1", 1: "10"}.get(exponent, f"10{str(exponent).translate(SUPERSCRIPT)}")


def plain(value: float) -> str:
    """Returns what a tick says on a linear axis, or on a scale of colours."""
    digits, exponent = f"{value:.4g}", math.floor(math.log10(abs(value))) if value else 0
    if exponent >= 4:
        digit = f"{value / 10.0**exponent:.4g}"
        digits = power(exponent) if digit == "1" else f"{digit}·{power(exponent)}"
    return digits.replace("-", "−")


def log_axis(title: str, low: int, high: int, *, zeros: bool, infinities: bool) -> Axis:
    """Returns an absolute logarithmic axis, with rails for exact zeros below and infinities above."""
    gap = rail_gap(low, high)
    every = max(1, math.ceil((high - low) / 6))
    exponents = list(range(low, min(high, 308) + 1, every))
    values, texts = [10.0**e for e in exponents], [power(e) for e in exponents]
    if zeros:
        values, texts = [10.0 ** (low - gap), *values], ["0", *texts]
    if infinities:
        values, texts = [*values, 10.0 ** min(high + gap, 308)], [*texts, "∞"]
    span = [low - (1.6 if zeros else 0.0) * gap, high + (1.6 if infinities else 0.0) * gap]
    return axis(title, type="log", range=span, tickmode="array", tickvals=values, ticktext=texts)


def rail_gap(low: int, high: int) -> float:
    return max(0.5, (high - low) * 0.08)


def line(name: str, values: Floats, color: str, **more: Any) -> Trace:
    """Returns a line over the steps; zeros and infinities are left to `rail`."""
    style = {
        "color": color,
        "width": more.pop("width", 2),
        "dash": more.pop("dash", "solid"),
        "simplify": False,
    }
    shown = np.where(np.isfinite(values) & (values != 0), values, np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": _steps(values.shape[0]),
        "y": shown,
        "line": style,
        **more,
    }


@lru_cache(maxsize=8)
def _steps(count: int) -> NDArray[np.float64]:
    """Returns the numbers of the steps: one array for all lines, which an answer then has once."""
    made = np.arange(count, dtype=np.float64)
    made.setflags(write=False)
    return made


def rail(name: str, marked: NDArray[np.bool_], height: float, color: str) -> Trace:
    """Returns short dashes at one height over the marked steps."""
    steps = np.flatnonzero(marked).astype(np.float64)
    x = np.full(3 * steps.size, np.nan)
    x[0::3], x[1::3] = steps - 0.36, steps + 0.36
    y = np.where(np.isnan(x), np.nan, height)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "showlegend": False,
        "line": {"color": color, "width": 4, "simplify": False},
    }


def log_lines(
    analysis: Planned, traces: list[tuple[str, Floats, str, dict[str, Any]]], title: str
) -> Figure:
    """Returns lines (name, values, colour, more) over the steps on one log axis, with edges and rails."""
    arrays = [values for _, values, _, _ in traces]
    low, high = decades(arrays)
    gap = rail_gap(low, high)
    data = [edges(analysis, 10.0 ** (low - 2 * gap), 10.0 ** min(high + 2 * gap, 307))]
    data += [line(name, values, color, **more) for name, values, color, more in traces]
    zeros, infinities = any((a == 0).any() for a in arrays), any(np.isinf(a).any() for a in arrays)
    for name, values, color, more in traces:
        if more.get("showlegend", True):
            data.append(rail(f"{name}: exactly 0", values == 0, 10.0 ** (low - gap), color))
    infinite = (
        np.any([~np.isfinite(a) for a in arrays], axis=0)
        if infinities
        else np.zeros(arrays[0].shape, dtype=bool)
    )
    data.append(rail("not finite", infinite, 10.0 ** min(high + gap, 308), "var(--over)"))
    return figure(
        data, xaxis=time_axis(analysis), yaxis=log_axis(title, low, high, zeros=zeros, infinities=infinities)
    )


def edges(analysis: Planned, low: float, high: float) -> Trace:
    """Returns thin vertical lines at the starts of windows; none where there are too many to tell apart."""
    starts = analysis.plan.window_starts[1:].astype(np.float64)
    starts = starts if starts.size <= MOST_EDGES else starts[:0]
    x = np.full(3 * starts.size, np.nan)
    x[0::3], x[1::3] = starts - 0.5, starts - 0.5
    y = np.full(3 * starts.size, np.nan)
    y[0::3], y[1::3] = low, high
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "window edges",
        "x": x,
        "y": y,
        "showlegend": False,
        "line": {"color": "var(--rule-strong)", "width": 1, "dash": "dot", "simplify": False},
    }
