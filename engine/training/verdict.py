"""The verdict: strategies paired by seed, the mean of the differences, its interval, and sentences.

All strategies of a seed start from the same weights and see the same data in the same order, so that the
difference of two losses is free of what the seed does to both. A lane is read on the held-out part as it
was trained: with the state carried, or reset at every window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.training.findings import Comparison, Outcome, Verdict
from engine.training.interval import interval
from engine.training.lab import Lab
from engine.training.pairs import Pair, pairs_of
from engine.training.view import LaneView, MomentView
from engine.training.words import comparison_text, headline, notes, unit_of

Rates = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class _Reading:
    """What one lane came to, at the moment that the verdict is read at."""

    loss: float
    accuracy: float


def verdict(lab: Lab, lanes: Sequence[LaneView], rates: Rates = ()) -> Verdict:
    """Returns what the lanes say so far. `rates` are the (tokens, learning rate) that were changed on the way.

    Lanes that reached the end count. If none did (the run was stopped, or goes on), every seed's lanes are
    read at the last evaluation that all strategies of that seed have; the notes say so."""
    by_lane = {(lane.strategy, lane.seed): lane for lane in lanes}
    mark = _mark(lab, by_lane)
    readings = {key: reading for key, lane in by_lane.items() if (reading := _reading(lab, lane, mark)) is not None}
    outcomes = tuple(_outcome(lab, index, by_lane, readings) for index in range(len(lab.strategies)))
    comparisons = tuple(_comparison(lab, pair, outcomes) for pair in pairs_of(lab))
    found = Verdict(unit_of(lab), outcomes, comparisons, "", ())
    tokens = None if mark is None else _tokens(lanes, mark)
    return replace(found, headline=headline(lab, found), notes=notes(lab, found, rates, tokens))


def _mark(lab: Lab, lanes: dict[tuple[int, int], LaneView]) -> int | None:
    """Returns None where a lane reached the end, else which evaluation to read: the last that all strategies of
    some seed have, those that diverged aside; 0, before any training, if there is none."""
    if any(lane.ended == "done" for lane in lanes.values()):
        return None
    marks = []
    for seed in lab.all_seeds:
        of_seed = [lanes.get((index, seed)) for index in range(len(lab.strategies))]
        marks.append(min((len(lane.moments) - 1 if lane else 0 for lane in of_seed
                          if lane is None or lane.ended != "diverged"), default=0))
    return max(0, *marks)


def _tokens(lanes: Sequence[LaneView], mark: int) -> int:
    return max((lane.moments[mark].tokens for lane in lanes if len(lane.moments) > mark), default=0)


def _reading(lab: Lab, lane: LaneView, mark: int | None) -> _Reading | None:
    """Returns the lane's held-out loss as it was trained, or None where it has none that counts."""
    if lane.ended == "diverged" or (mark is None and lane.ended != "done"):
        return None
    if not lane.moments or mark == 0 or (mark is not None and len(lane.moments) <= mark):
        return None
    moment = lane.moments[-1 if mark is None else mark]
    loss, accuracy = as_trained(lab, lane.strategy, moment)
    return _Reading(loss, accuracy) if math.isfinite(loss) else None


def as_trained(lab: Lab, strategy: int, moment: MomentView) -> tuple[float, float]:
    """Returns a moment's held-out loss and accuracy as the strategy is trained: state carried, or reset."""
    if lab.strategies[strategy].value == "reset":
        return moment.loss_reset, moment.accuracy_reset
    return moment.loss_carry, moment.accuracy_carry


def _outcome(lab: Lab, index: int, lanes: dict[tuple[int, int], LaneView],
             readings: dict[tuple[int, int], _Reading]) -> Outcome:
    mine = [lanes[index, seed] for seed in lab.all_seeds if (index, seed) in lanes]
    seeds = tuple(seed for seed in lab.all_seeds if (index, seed) in readings)
    losses = tuple(readings[index, seed].loss for seed in seeds)
    diverged = tuple(lane.seed for lane in mine if lane.ended == "diverged" or _blown_up(lab, lane))
    unfinished = tuple(seed for seed in lab.all_seeds if seed not in diverged
                       and ((index, seed) not in lanes or lanes[index, seed].ended != "done"))
    low, high = interval(losses)
    return Outcome(index, lab.strategies[index].name, seeds, losses, _mean(losses), low, high,
                   _mean([readings[index, seed].accuracy for seed in seeds]), diverged, unfinished,
                   sum(lane.seconds for lane in mine), max((lane.peak_bytes for lane in mine), default=0))


def _blown_up(lab: Lab, lane: LaneView) -> bool:
    """Whether a lane that ended says infinity or NaN on the held-out part."""
    return bool(lane.moments) and not math.isfinite(as_trained(lab, lane.strategy, lane.moments[-1])[0])


def _comparison(lab: Lab, pair: Pair, outcomes: tuple[Outcome, ...]) -> Comparison:
    first, second = outcomes[pair.first], outcomes[pair.second]
    of_first = dict(zip(first.seeds, first.losses, strict=True))
    of_second = dict(zip(second.seeds, second.losses, strict=True))
    seeds = tuple(seed for seed in first.seeds if seed in of_second)
    differences = tuple(of_first[seed] - of_second[seed] for seed in seeds)
    low, high = interval(differences)
    found = Comparison(pair.kind, pair.first, pair.second, seeds, differences, _mean(differences), low, high,
                       _finding(len(seeds), low, high), "")
    return replace(found, text=comparison_text(lab, found, outcomes))


def _finding(seeds: int, low: float, high: float) -> str:
    """An interval that holds 0, or ends there, tells no difference."""
    if seeds < 2:
        return "single" if seeds else "none"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "undecided"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
