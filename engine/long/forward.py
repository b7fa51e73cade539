"""The forward run over a long sequence, segment by segment."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.arrays import Bools
from engine.config import Config
from engine.experiment import Setting
from engine.long.again import States
from engine.truncation import Draws, Plan, draws_of, full_plan, plan_part
from engine.unroll import Data, Tape, unroll


@dataclass(frozen=True)
class Segment:
    """Some steps, laid out, run and planned."""

    data: Data
    tape: Tape
    plan: Plan  # of the truncation
    reset: Bools  # (T,) this run's state was the initial state again before the step


@dataclass(frozen=True)
class Forward:
    """A run of the setting: with the state carried, or `reset` at every window's start."""

    x: Setting
    config: Config
    draws: Draws | None
    reset: bool

    def plan(self, steps: range) -> Plan:
        """Returns some steps of the truncation's plan."""
        return plan_part(self.config, steps, self.draws)

    def run(self, steps: range, states: States) -> tuple[Segment, States]:
        """Returns some steps of the run, begun in the states before them, and the states after them."""
        data, plan = self.x.data(slice(steps.start, steps.stop)), self.plan(steps)
        reset = np.zeros(len(steps), bool)
        if self.reset:
            reset[plan.starts] = plan.starts + steps.start > 0
        tape = unroll(self.x.network, self.x.params, data, reset, states)
        return Segment(data, tape, plan, reset), tuple(layer.states[-1].copy() for layer in tape.layers)


def runs_of(x: Setting, config: Config) -> tuple[Forward, Forward]:
    """Returns the carried run, and the run that starts every window of the plan from the initial state."""
    draws = draws_of(config)
    return Forward(x, config, draws, False), Forward(x, config, draws, True)


def full_part(steps: range) -> Plan:
    """Returns some steps of full BPTT."""
    return full_plan(len(steps))


def spans_of(steps: range, length: int) -> list[range]:
    """Returns steps cut at the multiples of a length."""
    cuts = [steps.start, *range((steps.start // length + 1) * length, steps.stop, length), steps.stop]
    return [range(first, end) for first, end in pairwise(cuts) if end > first]
