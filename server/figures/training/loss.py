"""The held-out loss of every strategy: evaluated as it was trained, and the other way round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.arrays import Array, Floats
from engine.phrases import number
from engine.training import MomentView, RunView, Strategy
from server.figures.base import Axis, Figure, Trace, axis, decades, log_axis
from server.figures.base import figure as framed
from server.figures.training.measures import Measure
from server.figures.training.picture import (
    MARGIN,
    Picture,
    Table,
    after,
    band,
    dotted,
    is_classes,
    line,
    names,
    nice_range,
    rows_of,
    token_axis,
    token_word,
)
from server.figures.training.series import MOST_BINS, Read, Series, abreast, lanes_of, last, of_moments, of_points


def as_trained(strategy: Strategy) -> Read:
    """Returns how to read the loss as the strategy was trained: with the state carried, or reset."""
    return _reset if strategy.value == "reset" else _carried


def other_way(strategy: Strategy) -> Read:
    """Returns how to read the loss the other way round."""
    return _carried if strategy.value == "reset" else _reset


def _carried(moment: MomentView) -> float:
    return moment.loss_carry


def _reset(moment: MomentView) -> float:
    return moment.loss_reset


def loss(view: RunView, measure: Measure) -> Picture:
    """Returns the held-out loss, each strategy evaluated as it was trained."""
    found = [of_moments(view, index, as_trained(strategy)) for index, strategy in enumerate(view.lab.strategies)]
    return Picture("Loss on text that was held out" if view.lab.task == "text" else "Loss on held-out data",
                   _figure(view, found, found, measure), _standing(view, found, measure),
                   _table(view, found, measure, "Held-out loss, each strategy evaluated as it was trained"))


def loss_other(view: RunView, measure: Measure) -> Picture:
    """Returns the held-out loss the other way round, on the same scale."""
    own = [of_moments(view, index, as_trained(strategy)) for index, strategy in enumerate(view.lab.strategies)]
    found = [of_moments(view, index, other_way(strategy)) for index, strategy in enumerate(view.lab.strategies)]
    return Picture("The same networks, evaluated the other way round", _figure(view, found, own + found, measure),
                   _crossed(view, own, found, measure),
                   _table(view, found, measure, "Held-out loss: trained with the state carried, evaluated with resets; "
                          "trained with resets, evaluated with the state carried"))


def training(view: RunView, measure: Measure) -> Picture:
    """Returns the loss on what is being trained on, averaged over a few updates."""
    found = [of_points(view, index, "loss") for index in range(len(view.lab.strategies))]
    return Picture("Loss while training", _figure(view, found, found, measure, 4, line),
                   _standing(view, found, measure, "On what it trains on", MOST_BINS),
                   _table(view, found, measure, "Loss of the updates, averaged over a few", most=40))


def _figure(view: RunView, found: list[Series], scale: list[Series], measure: Measure, skip: int = 1,
            draw: Callable[[int, str, Array, Array], Trace] = dotted) -> Figure:
    """Returns lines and bands; the axis holds everything but the untrained network's first numbers."""
    data: list[Trace] = [band(s.strategy, s.x, measure.of(s.low), measure.of(s.high)) for s in found]
    data += [draw(s.strategy, name, s.x, measure.of(s.mean)) for s, name in zip(found, names(view), strict=True)]
    data += [_end(view, s, measure) for s in found]
    values = [measure.of(part[skip if s.mean.size > skip + 1 else 0 :]) for s in scale for part in (s.low, s.high)]
    return framed(data, xaxis=token_axis(view), yaxis=_yaxis(view, values, measure), margin=MARGIN)


def _yaxis(view: RunView, values: list[Floats], measure: Measure) -> Axis:
    title = measure.title.format(token=token_word(view).removesuffix("s"))
    if not is_classes(view):
        return log_axis(title, *decades(values), zeros=False, infinities=False)
    finite = np.concatenate([array[np.isfinite(array)] for array in values] or [np.zeros(0)])
    most = 4 * float(np.median(finite)) if finite.size else 1.0  # an explosion leaves the picture; its cross says where
    step = {"nats": 0.25, "bits": 0.5}.get(measure.name, 1.0 if most < 200 else 50.0)
    return axis(title, range=nice_range([finite[finite <= most]], step), nticks=6)


def _end(view: RunView, series: Series, measure: Measure) -> Trace:
    """Returns a cross where lanes of a strategy diverged; nothing where none did."""
    lanes = [lane for lane in lanes_of(view, series.strategy)
             if lane.ended == "diverged" and lane.points["tokens"].size]
    x = np.array([float(lane.points["tokens"][-1]) for lane in lanes])
    middle, _ = last(series)
    y = np.full(x.size, float(measure.of(np.array([middle]))[0]))
    mark = {"symbol": "x", "size": 11, "color": "var(--over)"}
    return {"type": "scatter", "mode": "markers", "name": "diverged", "x": x, "y": np.where(np.isfinite(y), y, np.nan),
            "uid": f"end{series.strategy}", "showlegend": False, "marker": mark}


def _standing(view: RunView, found: list[Series], measure: Measure, where: str = "", parts: int = 0) -> str:
    """Returns who is ahead, in the last numbers that all have."""
    word = measure.title.format(token=token_word(view).removesuffix("s"))
    ends, at = abreast(view, found, view.lab.tokens / (parts or view.lab.evaluations))
    known = sorted((float(measure.of(np.array([value]))[0]), name)
                   for value, name in zip(ends, names(view), strict=True) if np.isfinite(value))
    if not known:
        return "Nothing has been evaluated yet." if not where else "No update has been made yet."
    amount = f"{number(known[0][0])} {word}" if is_classes(view) else f"{word} is {number(known[0][0])}"
    first = f"{where}: {amount} for {known[0][1]}" if where else f"{amount[0].upper()}{amount[1:]} for {known[0][1]}"
    if len(known) == 1:
        return f"{first}."
    return f"{first}; {number(known[-1][0])} for {known[-1][1]}{after(view, at)}: lower is better."


def _crossed(view: RunView, own: list[Series], found: list[Series], measure: Measure) -> str:
    """Returns what the other evaluation does to the strategy that it changes most."""
    rows = []
    for mine, other, name in zip(own, found, names(view), strict=True):
        before, then = (float(measure.of(np.array([last(series)[0]]))[0]) for series in (mine, other))
        if np.isfinite(before) and np.isfinite(then):
            rows.append((abs(then - before), name, before, then, view.lab.strategies[mine.strategy].value))
    if not rows:
        return "Nothing has been evaluated yet."
    _, name, before, then, value = max(rows)
    how = "with the state carried" if value == "reset" else "with the state reset"
    return f"Changed most is {name}: evaluated {how} it has {number(then)} instead of {number(before)}."


def _table(view: RunView, found: list[Series], measure: Measure, note: str, most: int = 0) -> Table:
    """Returns the means by tokens; where there are more than `most` rows, an even selection."""
    word = measure.title.format(token=token_word(view).removesuffix("s"))
    shown = [replace(series, mean=measure.of(series.mean)) for series in found]
    return Table((token_word(view), *names(view)), rows_of(view, shown, most),
                 f"{note}; {word}, mean over the seeds that got there.")
