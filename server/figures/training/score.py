"""The share of held-out predictions that are right, each strategy evaluated as it was trained."""

from __future__ import annotations

import numpy as np

from engine.phrases import percent
from engine.training import MomentView, RunView, Strategy
from server.figures.base import Trace, axis
from server.figures.base import figure as framed
from server.figures.training.picture import (
    MARGIN,
    Picture,
    Table,
    after,
    band,
    dotted,
    names,
    nice_range,
    rows_of,
    token_axis,
    token_word,
)
from server.figures.training.series import Read, Series, abreast, of_moments


def score(view: RunView) -> Picture:
    """Returns accuracy over tokens, in percent."""
    found = [of_moments(view, index, _read(strategy)) for index, strategy in enumerate(view.lab.strategies)]
    data: list[Trace] = [band(s.strategy, s.x, 100 * s.low, 100 * s.high) for s in found]
    data += [dotted(s.strategy, name, s.x, 100 * s.mean) for s, name in zip(found, names(view), strict=True)]
    span = nice_range([100 * part[1 if s.x.size > 2 else 0 :] for s in found for part in (s.low, s.high)], 10.0)
    drawn = framed(data, xaxis=token_axis(view), yaxis=axis("right, %", range=span, nticks=6), margin=MARGIN)
    return Picture("How often the guess is right", drawn, _sentence(view, found), _table(view, found))


def _read(strategy: Strategy) -> Read:
    return _reset if strategy.value == "reset" else _carried


def _carried(moment: MomentView) -> float:
    return moment.accuracy_carry


def _reset(moment: MomentView) -> float:
    return moment.accuracy_reset


def _sentence(view: RunView, found: list[Series]) -> str:
    values, at = abreast(view, found, view.lab.tokens / view.lab.evaluations)
    ends = sorted((value, name) for value, name in zip(values, names(view), strict=True) if np.isfinite(value))
    if not ends:
        return "Nothing has been evaluated yet."
    best = f"{ends[-1][1]} guesses {percent(ends[-1][0])} of the held-out {token_word(view)} right"
    return f"{best}." if len(ends) == 1 else f"{best}; {ends[0][1]}, {percent(ends[0][0])}{after(view, at)}."


def _table(view: RunView, found: list[Series]) -> Table:
    return Table((token_word(view), *names(view)), rows_of(view, found), "Share of held-out predictions that are "
                 "right, each strategy evaluated as it was trained; mean over the seeds that got there.")
