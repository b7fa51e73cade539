"""A run's numbers as lines: of each strategy the mean over its seeds, with the lowest and the highest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Floats
from engine.training import LaneView, MomentView, RunView

MOST_BINS = 400
Read = Callable[[MomentView], float]


@dataclass(frozen=True)
class Series:
    """One strategy's line: (N,) each; NaN where no seed has a finite number."""

    strategy: int
    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    seeds: Floats  # how many seeds stand behind each number


def lanes_of(view: RunView, strategy: int) -> list[LaneView]:
    return [lane for lane in view.lanes if lane.strategy == strategy]


def of_moments(view: RunView, strategy: int, read: Read) -> Series:
    """Returns a number of the evaluations over the tokens, from the first to the last that some lane has.

    Windows of random length end at other tokens for another seed: an evaluation stands at the mean of them."""
    lanes = lanes_of(view, strategy)
    count = max((len(lane.moments) for lane in lanes), default=0)
    values, tokens = (np.full((max(1, len(lanes)), count), np.nan) for _ in range(2))
    for row, lane in enumerate(lanes):
        values[row, : len(lane.moments)] = [read(moment) for moment in lane.moments]
        tokens[row, : len(lane.moments)] = [moment.tokens for moment in lane.moments]
    x = _over_seeds(strategy, np.zeros(count), tokens, tokens, tokens).mean
    return _over_seeds(strategy, x, values, values, values)


def of_points(view: RunView, strategy: int, name: str) -> Series:
    """Returns a number of the training curve in bins of tokens: the mean, and the extremes within the bin."""
    lanes = lanes_of(view, strategy)
    shape = (max(1, len(lanes)), MOST_BINS)
    mean, low, high = (np.full(shape, np.nan) for _ in range(3))
    for row, lane in enumerate(lanes):
        mean[row], low[row], high[row] = _binned(lane.points["tokens"], lane.points[name], view.lab.tokens)
    filled = np.isfinite(mean).any(axis=0)
    x = (np.flatnonzero(filled) + 0.5) * view.lab.tokens / MOST_BINS
    return _over_seeds(strategy, x, mean[:, filled], low[:, filled], high[:, filled])


def _binned(tokens: Floats, values: Floats, last: int) -> tuple[Floats, Floats, Floats]:
    bins = np.clip(np.ceil(tokens / last * MOST_BINS).astype(np.int64) - 1, 0, MOST_BINS - 1)
    finite = np.isfinite(values)
    bins, values = bins[finite], values[finite]
    count = np.bincount(bins, minlength=MOST_BINS).astype(np.float64)
    total = np.bincount(bins, weights=values, minlength=MOST_BINS)
    low, high = np.full(MOST_BINS, np.inf), np.full(MOST_BINS, -np.inf)
    np.minimum.at(low, bins, values)
    np.maximum.at(high, bins, values)
    empty = count == 0
    mean = np.divide(total, count, out=np.full(MOST_BINS, np.nan), where=~empty)
    low[empty] = high[empty] = np.nan
    return mean, low, high


def _over_seeds(strategy: int, x: Floats, mean: Floats, low: Floats, high: Floats) -> Series:
    """Returns the mean over the rows that are finite; NaN in a column without any."""
    finite = np.isfinite(mean)
    seeds = finite.sum(axis=0).astype(np.float64)
    some = seeds > 0
    total = np.where(finite, mean, 0.0).sum(axis=0)
    middle = np.divide(total, seeds, out=np.full(x.shape, np.nan), where=some)
    lowest = np.where(np.isfinite(low), low, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(np.isfinite(high), high, -np.inf).max(axis=0, initial=-np.inf)
    return Series(strategy, x, middle, np.where(some, lowest, np.nan), np.where(some, highest, np.nan), seeds)


def near(series: Series, x: float, reach: float) -> float:
    """Returns the mean nearest to an x; NaN where there is none within reach."""
    if series.x.size == 0:
        return float("nan")
    place = int(np.abs(series.x - x).argmin())
    return float(series.mean[place]) if abs(series.x[place] - x) <= reach else float("nan")


def abreast(view: RunView, found: list[Series], apart: float) -> tuple[list[float], float]:
    """Returns each line's last mean up to the tokens that all have come to, and these tokens where some lines go
    further, else NaN: a line that is ahead would be compared unfairly. Strategies that have ended early hold nobody
    up. `apart`: the tokens between two points of a line, for not all lines have theirs at the same ones."""
    held = [s for s in found if any(lane.ended not in ("diverged", "failed") for lane in lanes_of(view, s.strategy))]
    ends = [x for x in (last(series)[1] for series in held or found) if np.isfinite(x)]
    to = min(ends, default=float("nan"))
    values = [last(replace(s, x=s.x[shown], mean=s.mean[shown]))[0] for s in found
              for shown in [s.x <= to + apart / 2]]
    return values, to if ends and max(ends) > to + apart / 2 else float("nan")


def last(series: Series) -> tuple[float, float]:
    """Returns the last finite mean and its x; NaN where there is none."""
    found = np.flatnonzero(np.isfinite(series.mean))
    return (float(series.mean[found[-1]]), float(series.x[found[-1]])) if found.size else (float("nan"), float("nan"))
