"""The gradient's half-life: after how many steps back it has halved, as the network learns."""

from __future__ import annotations

import numpy as np

from engine.phrases import number
from engine.training import MomentView, RunView
from server.figures.base import Trace, decades, log_axis
from server.figures.base import figure as framed
from server.figures.training.picture import MARGIN, Picture, Table, band, dotted, names, rows_of, token_axis, token_word
from server.figures.training.series import Series, abreast, of_moments


def half_life(view: RunView) -> Picture:
    """Returns the half-life over tokens on an absolute log axis."""
    found = [of_moments(view, index, _read) for index in range(len(view.lab.strategies))]
    data: list[Trace] = [band(s.strategy, s.x, s.low, s.high) for s in found]
    data += [dotted(s.strategy, name, s.x, s.mean) for s, name in zip(found, names(view), strict=True)]
    low, high = decades([np.append(part, 1.0) for s in found for part in (s.low, s.high)])
    yaxis = log_axis("half-life, steps", max(low, -2), min(high, 6), zeros=False, infinities=False)
    drawn = framed(data, xaxis=token_axis(view), yaxis=yaxis, margin=MARGIN)
    return Picture("How far back a gradient lasts", drawn, _sentence(view, found), _table(view, found))


def _read(moment: MomentView) -> float:
    return moment.half_life


def _sentence(view: RunView, found: list[Series]) -> str:
    values, _ = abreast(view, found, view.lab.tokens / view.lab.evaluations)
    rows = [(value, float(series.mean[0]), name) for value, series, name in zip(values, found, names(view), strict=True)
            if np.isfinite(value)]
    if not rows:
        return "It cannot be told yet after how many steps back a gradient has halved."
    after, before, name = max(rows)
    told = f"It lasts longest under {name}: halved every {number(after)} steps back"
    return f"{told}, and every {number(before)} before training." if np.isfinite(before) else f"{told}."


def _table(view: RunView, found: list[Series]) -> Table:
    return Table((token_word(view), *names(view)), rows_of(view, found), "Steps back after which the probe's gradient "
                 "has halved, fitted; mean over the seeds. Not a number where no half-life can be told.")
