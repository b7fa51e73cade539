"""The two passes over a long sequence: forward once, keeping borders; back once, sweeping and keeping what crosses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.arrays import Floats
from engine.experiment import Setting
from engine.long.again import States, backwards
from engine.long.banded import Banded
from engine.long.forward import Forward, Segment, full_part, spans_of
from engine.long.memory import Budget
from engine.long.sweep import LongSweep, PerStep


@dataclass
class Borders:
    """The steps before which something was kept: the states of a run, and what crosses back over the edge there."""

    budget: Budget
    spans: list[range]
    states: dict[int, States] = field(default_factory=dict)  # by the number of the segment that starts there
    crossing: dict[int, list[States]] = field(default_factory=dict)  # of each sweep; at the end of the last, nothing

    @property
    def stride(self) -> int:
        """Every how many segments there is a border."""
        return -(-len(self.spans) // self.budget.borders)

    def before(self, step: int) -> int:
        """Returns the number of the segment at the last border that is not after a step."""
        segment = step // len(self.spans[0])
        return segment // self.stride * self.stride

    def after(self, step: int) -> int:
        """Returns the number of the segment at the first border that is not before a step, or of segments."""
        segment = -(-step // len(self.spans[0]))
        return min(len(self.spans), -(-segment // self.stride) * self.stride)


@dataclass(frozen=True)
class Ahead:
    """What the forward pass finds at every step."""

    losses: Floats  # (T,) mean over the batch, NaN where none is read
    states: PerStep
    borders: Borders


def ahead(run: Forward, budget: Budget) -> Ahead:
    """Returns the forward pass of a run."""
    T = run.config.steps
    losses, states, borders = np.full(T, np.nan), PerStep(run.x, T), Borders(budget, spans_of(range(T), budget.segment))
    at: States = run.x.initial
    for number, steps in enumerate(borders.spans):
        if number % borders.stride == 0:
            borders.states[number] = at
        segment, at = run.run(steps, at)
        here = slice(steps.start, steps.stop)
        losses[here] = np.where(segment.data.counts, segment.tape.losses.mean(axis=1), np.nan)
        states.put(steps, tuple(layer.states for layer in segment.tape.layers))
    return Ahead(losses, states, borders)


def segments_back(run: Forward, borders: Borders) -> Iterator[tuple[range, Segment]]:
    """Yields every segment of a run, the last one first, each run forward again from a border."""
    spans, stride = borders.spans, borders.stride
    for number in sorted(borders.states, reverse=True):
        yield from backwards(run.run, spans[number : number + stride], borders.states[number], borders.budget.borders)


@dataclass(frozen=True)
class Back:
    """What the backward pass finds: of each sweep its sums, and the gradient's norms at every step."""

    sweeps: list[LongSweep]
    norms: list[PerStep]


def back(run: Forward, borders: Borders, sweeps: list[LongSweep], banded: Banded | None) -> Back:
    """Returns the backward pass of some sweeps along a run; keeps at its borders what crosses them."""
    norms = [PerStep(run.x, run.config.steps) for _ in sweeps]
    for steps, segment in segments_back(run, borders):
        for sweep, per_step in zip(sweeps, norms, strict=True):
            per_step.put(steps, sweep.back(steps, segment).states)
        number = steps.start // borders.budget.segment
        if number in borders.states:
            borders.crossing[number] = [sweep.after or () for sweep in sweeps]
        if banded is not None:
            banded.back(steps, segment.tape, segment.reset)
    return Back(sweeps, norms)


def full_sweep(x: Setting) -> LongSweep:
    """Returns a sweep of full BPTT."""
    return LongSweep(x, lambda steps, segment: full_part(steps))


def plan_sweep(x: Setting) -> LongSweep:
    """Returns a sweep of the truncation."""
    return LongSweep(x, lambda steps, segment: segment.plan)
