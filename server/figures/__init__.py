"""Plotly figures as plain dicts, one file a figure: (analysis) -> figure.

The same for page, notebook and report. Arrays in them are NumPy arrays, which the encoder writes. Colours
are role names, `var(--full)`: whoever draws the figure replaces them by the values of one theme.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.traces import Analysis
from server.figures import (
    bias_curve,
    carry_over,
    carry_units,
    contributions,
    costs,
    credit,
    draw_errors,
    draws,
    gates,
    lags,
    lyapunov,
    memory,
    norms,
    paths,
    products,
    rule_1997,
    spectrum,
)
from server.figures.base import Figure

Draw = Callable[[Analysis], Figure]


@dataclass(frozen=True)
class Deeper:
    """A figure of a part of the analysis that is there only if it was asked for, by `include`."""

    draw: Draw
    include: str  # also the name of the field of Analysis


FIGURES: dict[str, Draw] = {
    "norms": norms.figure,
    "credit": credit.figure,
    "carry_over": carry_over.figure,
    "carry_units": carry_units.figure,
    "costs": costs.figure,
    "contributions": contributions.figure,
}
DEEPER: dict[str, Deeper] = {
    "bias_curve": Deeper(bias_curve.figure, "bias_curve"),
    "lags": Deeper(lags.figure, "bias_curve"),
    "paths": Deeper(paths.figure, "paths"),
    "rule_1997": Deeper(rule_1997.figure, "paths"),
    "gates": Deeper(gates.figure, "gates"),
    "memory": Deeper(memory.figure, "gates"),
    "spectrum": Deeper(spectrum.figure, "spectrum"),
    "products": Deeper(products.figure, "spectrum"),
    "lyapunov": Deeper(lyapunov.figure, "spectrum"),
    "draws": Deeper(draws.figure, "draws"),
    "draw_errors": Deeper(draw_errors.figure, "draws"),
}
NAMES = (*FIGURES, *DEEPER)


def includes_of(name: str) -> frozenset[str]:
    """Returns what an analysis must include so that a figure can be drawn of it."""
    return frozenset({DEEPER[name].include if name in DEEPER else "credit"})


def draw(name: str, analysis: Analysis) -> Figure | None:
    """Returns a figure, or None if the analysis lacks what it shows."""
    if name in FIGURES:
        return FIGURES[name](analysis)
    return DEEPER[name].draw(analysis) if getattr(analysis, DEEPER[name].include) is not None else None


def draw_all(analysis: Analysis) -> dict[str, Figure]:
    """Returns every figure for which the analysis has what it shows."""
    return {name: drawn for name in NAMES if (drawn := draw(name, analysis)) is not None}


def moved(drawn: Figure, name: str, first: int) -> Figure:
    """Returns a figure of a close-up over the numbers that its steps have in the whole sequence."""
    if name == "costs":
        return drawn
    axes = ("x", "y") if name == "credit" else ("x",)
    data = [trace | {axis: trace[axis] + first for axis in axes if axis in trace} for trace in drawn["data"]]
    layout = dict(drawn["layout"])
    for axis in axes:
        scale = dict(layout[f"{axis}axis"])
        scale["range"] = [end + first for end in scale["range"]]
        if "tickvals" in scale:
            scale["tickvals"] = [value + first for value in scale["tickvals"]]
        layout[f"{axis}axis"] = scale
    return {"data": data, "layout": layout}


__all__ = ["DEEPER", "FIGURES", "NAMES", "Figure", "draw", "draw_all", "includes_of", "moved"]
