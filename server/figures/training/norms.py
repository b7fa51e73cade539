"""The gradient's norm before clipping, and how often it was clipped."""

from __future__ import annotations

import numpy as np

from engine.phrases import number, percent
from engine.training import RunView
from server.figures.base import Axis, Trace, axis, decades, log_axis
from server.figures.base import figure as framed
from server.figures.training.picture import Picture, Table, band, line, names, rows_of, token_axis, token_word
from server.figures.training.series import Series, last, of_points

ROWS = 40


def norms(view: RunView) -> Picture:
    """Returns the norm on an absolute log axis with the limit of clipping, and below it the share clipped."""
    strategies = range(len(view.lab.strategies))
    size = [of_points(view, index, "norm") for index in strategies]
    share = [of_points(view, index, "clipped") for index in strategies]
    low, high = decades([part for s in size for part in (s.low, s.high)] + [np.array([view.lab.clip])])
    floor = 10.0**low
    data: list[Trace] = [band(s.strategy, s.x, np.maximum(s.low, floor), s.high) for s in size]
    data += [line(s.strategy, name, s.x, np.where(s.mean > 0, s.mean, np.nan))
             for s, name in zip(size, names(view), strict=True)]
    if view.lab.clip_by == "norm":
        data.append(_limit(view))
    data += [line(s.strategy, f"{name}: clipped", s.x, 100 * s.mean, yaxis="y2", showlegend=False,
                  uid=f"clipped{s.strategy}") for s, name in zip(share, names(view), strict=True)]
    drawn = framed(data, xaxis={**token_axis(view), "anchor": "y2"}, yaxis2=_share_axis(),
                   yaxis={**log_axis("norm", low, high, zeros=False, infinities=False),
                          "domain": [0.42, 1.0]},
                   margin={"l": 62, "r": 14, "t": 40, "b": 44})
    return Picture("How large the gradients are", drawn, _sentence(view, size, share), _table(view, size, share))


def _share_axis() -> Axis:
    return axis("clip, %", range=[-4, 104], domain=[0.0, 0.3], tickvals=[0, 50, 100])


def _limit(view: RunView) -> Trace:
    half = view.lab.tokens / view.lab.evaluations / 2
    return {"type": "scatter", "mode": "lines", "name": f"clipped above {view.lab.clip:g}", "uid": "limit",
            "x": np.array([-half, view.lab.tokens + half]), "y": np.full(2, view.lab.clip),
            "line": {"color": "var(--rule-strong)", "width": 1.5, "dash": "2px,3px", "simplify": False}}


def _sentence(view: RunView, size: list[Series], share: list[Series]) -> str:
    ends = [(last(series)[0], name) for series, name in zip(size, names(view), strict=True)]
    known = sorted((value, name) for value, name in ends if np.isfinite(value))
    if not known:
        return "No update has been made yet."
    largest = f"Largest at last is the gradient of {known[-1][1]}, {number(known[-1][0])} before clipping"
    if view.lab.clip_by == "off":
        return f"{largest}; nothing is clipped."
    clipped = [(float(np.nanmean(s.mean)), name) for s, name in zip(share, names(view), strict=True)
               if np.isfinite(s.mean).any()]
    most, name = max(clipped, default=(0.0, ""))
    what = "updates were" if view.lab.clip_by == "norm" else "gradient's numbers were"
    if most == 0:
        return f"{largest}; nothing had to be clipped."
    return f"{largest}. {percent(most)} of {'the ' if view.lab.clip_by != 'norm' else ''}{what} clipped for {name}."


def _table(view: RunView, size: list[Series], share: list[Series]) -> Table:
    columns = [series for pair in zip(size, share, strict=True) for series in pair]
    head = [title for name in names(view) for title in (f"{name}: norm", f"{name}: share clipped")]
    return Table((token_word(view), *head), rows_of(view, columns, ROWS), "Norm of the whole gradient "
                 "before clipping and the share clipped, means over a few updates and over the seeds.")
