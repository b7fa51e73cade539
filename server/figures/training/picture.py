"""What the training pictures share: figure, sentence and table together; strategies' colours; the axis of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Floats
from engine.training import RunView
from server.figures.base import Axis, Figure, Trace, axis
from server.figures.training.series import Series, near

DASHES = ("solid", "7px,3px", "2px,3px", "9px,3px,2px,3px", "15px,4px", "5px,5px", "4px,2px,1px,2px",
          "12px,3px,2px,3px,2px,3px")
TOKENS = {"copy": "symbols", "lagged_bits": "bits"}  # what a step of these tasks is
BAND_OPACITY = 0.2
MARGIN = {"l": 62, "r": 14, "t": 40, "b": 44}


@dataclass(frozen=True)
class Table:
    """The numbers behind a picture, and how they are to be read."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    note: str


@dataclass(frozen=True)
class Picture:
    """A figure with what it says in a sentence, and its numbers."""

    title: str
    figure: Figure
    sentence: str
    table: Table


def look(strategy: int) -> tuple[str, str]:
    """Returns a strategy's colour and dash: never told apart by colour alone."""
    return f"var(--strategy-{strategy})", DASHES[strategy]


def names(view: RunView) -> list[str]:
    return [strategy.name for strategy in view.lab.strategies]


def token_axis(view: RunView, **more: Any) -> Axis:
    """Returns the axis over the tokens of one lane: the same in every picture, whatever has been trained."""
    half = view.lab.tokens / view.lab.evaluations / 2
    return axis(f"{token_word(view)} trained on", range=[-half, view.lab.tokens + half],
                **{"nticks": 6, "showgrid": False, **more})


def token_word(view: RunView) -> str:
    """Returns what a token of this run is, in the plural."""
    if view.lab.task == "text":
        return "characters" if view.lab.vocabulary == "char" else "words"
    return TOKENS.get(view.lab.task, "steps")


def after(view: RunView, tokens: float) -> str:
    """Returns at which tokens numbers of several strategies were read, where some have come further."""
    return f", each after {tokens:,.0f} {token_word(view)}" if np.isfinite(tokens) else ""


def is_classes(view: RunView) -> bool:
    """Returns whether the network chooses among symbols; else it predicts values."""
    return view.lab.task not in ("adding", "series")


def line(strategy: int, name: str, x: Array, y: Array, **more: Any) -> Trace:
    """Returns a strategy's line; where y is not finite, it is broken."""
    color, dash = look(strategy)
    values = np.asarray(y, dtype=np.float64)
    return {"type": "scatter", "mode": "lines", "name": name, "x": np.asarray(x, dtype=np.float64),
            "y": np.where(np.isfinite(values), values, np.nan), "uid": f"s{strategy}",
            "line": {"color": color, "width": 2.5, "dash": dash, "simplify": False}, **more}


def dotted(strategy: int, name: str, x: Array, y: Array) -> Trace:
    """Returns a strategy's line with a dot at each evaluation: the first one is seen before there is a second."""
    color, _ = look(strategy)
    return line(strategy, name, x, y, mode="lines+markers", marker={"size": 5, "color": color})


def band(strategy: int, x: Array, low: Array, high: Array, **more: Any) -> Trace:
    """Returns the area between the lowest and the highest seed."""
    color, _ = look(strategy)
    shown = np.isfinite(low) & np.isfinite(high)
    x, low, high = (np.asarray(values, dtype=np.float64)[shown] for values in (x, low, high))
    return {"type": "scatter", "mode": "lines", "name": "from the lowest seed to the highest", "fill": "toself",
            "x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]]), "fillcolor": color,
            "opacity": BAND_OPACITY, "showlegend": False, "uid": f"band{strategy}",
            "line": {"width": 0, "color": color, "simplify": False}, **more}


def rows_of(view: RunView, columns: list[Series], most: int = 0) -> tuple[tuple[str | float | int, ...], ...]:
    """Returns the means by tokens: a row for each evaluation (or, of points, an even selection of `most`)."""
    x = max((series.x for series in columns), key=len)
    if most and x.size > most:
        x = x[np.linspace(0, x.size - 1, most).round().astype(np.int64)]
    reach = view.lab.tokens / (most or view.lab.evaluations) / 2
    return tuple((round(t), *(near(series, t, reach) for series in columns)) for t in x.tolist())


def nice_range(values: list[Floats], step: float) -> list[float]:
    """Returns a range that holds every finite value, in multiples of a step, so that it rests while a run goes on."""
    finite = np.concatenate([array[np.isfinite(array)] for array in values] or [np.zeros(0)])
    if finite.size == 0:
        return [0.0, step]
    low, high = step * np.floor(finite.min() / step), step * np.ceil(finite.max() / step)
    return [float(low), float(high if high > low else low + step)]
