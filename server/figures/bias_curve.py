"""The bias of truncation against k: sliding(k) whole and per block, window(k), and what adaptive truncation says."""

from __future__ import annotations

import math

import numpy as np

from engine.arrays import Array
from engine.traces import Analysis
from server.figures.base import Figure, Trace, axis, decades, power
from server.figures.base import figure as framed
from server.figures.curves import count_axis, curve, level, nothing, upright

LEVELS = {0.1: "10 %", 0.01: "1 %", 0.001: "0.1 %"}
FLOOR = -6  # a relative error below 1e-6 is of no interest here, and would press the rest together


def figure(analysis: Analysis) -> Figure:
    """Returns the figure; the vertical line is the k in force, for the styles that have one."""
    found = analysis.bias_curve
    assert found is not None
    k, k_used = np.arange(1, len(found.sliding) + 1), in_force(analysis)
    bottom, top = span([found.sliding, found.window])
    data = [level(text, [0.5, 2.0 * len(k)], share) for share, text in LEVELS.items()]
    for n, (name, errors) in enumerate(found.sliding_blocks.items()):
        data.append(curve("sliding, by block", k, errors, "var(--truncated)", width=1, opacity=0.45,
                          showlegend=n == 0, legendgroup="blocks", meta=name))
    data += [
        curve("window(k)", found.window_k, found.window, "var(--full)", dash="7px,4px", width=2.5),
        curve("sliding(k)", k, found.sliding, "var(--truncated)", width=3),
        *adaptive(analysis, k, 10.0 ** (bottom - 1), 10.0 ** (top + 1)),
        upright("k in force", k_used, 10.0 ** (bottom - 1), 10.0 ** (top + 1), uid="k", showlegend=k_used == k_used),
    ]
    exponents = range(bottom, math.floor(top) + 1)
    texts = [LEVELS.get(10.0**e, "100 %" if e == 0 else power(e)) for e in exponents]
    return framed(
        data,
        xaxis=count_axis("k, steps", len(k)),
        yaxis=axis("relative error of the gradient", type="log", range=[bottom, top], tickmode="array",
                   tickvals=[10.0**e for e in exponents], ticktext=texts),
        margin={"l": 66, "r": 14, "t": 62, "b": 44},
        annotations=nothing([found.sliding, found.window]),
    )


def span(errors: list[Array]) -> tuple[int, float]:
    """Returns the ends of the axis, as powers of ten: from 1e-4 or less to a little over 1, or to the largest error."""
    low, _ = decades(errors)
    most = max(float(np.max(values, where=np.isfinite(values), initial=0.0)) for values in errors)
    return min(-4, max(FLOOR, low)), 0.3 if most <= 1.5 else float(math.ceil(math.log10(most)))


def adaptive(analysis: Analysis, k: np.ndarray[tuple[int], np.dtype[np.int64]], low: float, high: float) -> list[Trace]:
    """Returns the bound of adaptive truncation, and the K that it would choose, if there is one."""
    assert analysis.bias_curve is not None
    found = analysis.bias_curve.adaptive
    data = [curve("adaptive's bound", k, found.bound, "var(--ink-soft)", dash="2px,3px", width=2)]
    if found.chosen > 0:
        data.append(upright(f"its K = {found.chosen}", found.chosen, low, high,
                            line={"color": "var(--ink-soft)", "dash": "2px,3px"}))
    return data


def in_force(analysis: Analysis) -> float:
    """Returns the k of the style that was asked for, at most T; NaN for a style without one."""
    if analysis.config["style"] not in ("window", "sliding"):
        return float("nan")
    return float(min(int(str(analysis.config["k"])), analysis.plan.cut.shape[0]))
