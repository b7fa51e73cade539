"""Plotly figures as plain dicts, one file a figure: (analysis) -> figure.

The same for page, notebook and report. Arrays in them are NumPy arrays, which the encoder writes. Colours
are role names, `var(--full)`: whoever draws the figure replaces them by the values of one theme.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.traces import Analysis
from server.figures import carry_over, carry_units, contributions, costs, credit, norms
from server.figures.base import Figure

FIGURES: dict[str, Callable[[Analysis], Figure]] = {
    "norms": norms.figure,
    "credit": credit.figure,
    "carry_over": carry_over.figure,
    "carry_units": carry_units.figure,
    "costs": costs.figure,
    "contributions": contributions.figure,
}

__all__ = ["FIGURES", "Figure"]
