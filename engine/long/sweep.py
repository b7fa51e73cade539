"""The backward pass over a long sequence: plain sweeps of its segments, joined at their borders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.arrays import Array, Params
from engine.backprop import Gradients, backprop
from engine.experiment import Setting
from engine.long.again import States
from engine.long.forward import Segment
from engine.norms import norms_of
from engine.truncation import Plan

Planner = Callable[[range, Segment], Plan]


class LongSweep:
    """A sweep that goes on at the border where it stopped, and sums what its segments give."""

    def __init__(self, x: Setting, planner: Planner, after: States | None = None) -> None:
        self.x, self.planner = x, planner
        self.after = after  # what crosses the edge to the segment that comes next, per layer (S, m, B)
        self.blocks: Params = {name: np.zeros(shape) for name, shape in x.network.shapes().items()}
        self.initial = [np.zeros_like(states) for states in x.initial]

    def back(self, steps: range, segment: Segment) -> Gradients:
        """Takes a segment, the one before the last that was taken."""
        found = backprop(self.x.network, self.x.params, segment.tape, self.planner(steps, segment), self.after,
                         begins=steps.start == 0)
        self.after = found.before
        for name, block in found.blocks.items():
            self.blocks[name] += block
        for total, part in zip(self.initial, found.initial, strict=True):
            total += part
        return found


class PerStep:
    """Norms of every step, of states or of gradients: numbers alone are kept."""

    def __init__(self, x: Setting, T: int) -> None:
        self.network = x.network
        self.h = np.zeros(T)
        self.c = np.zeros(T) if x.network.cell.parts == 2 else None

    def put(self, steps: range, states: tuple[Array, ...]) -> None:
        """Writes the norms of some steps; states (T, S, B) per layer."""
        h, c, _, _ = norms_of(self.network, states)
        self.h[steps.start : steps.stop] = h
        if self.c is not None and c is not None:
            self.c[steps.start : steps.stop] = c
