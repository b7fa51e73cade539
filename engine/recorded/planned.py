"""A trace with its reach tested, and its plan in columns, as the pictures draw it: windows, cuts, where losses stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Ints
from engine.recorded.captions import captions
from engine.recorded.expected import expected, resets
from engine.recorded.reach import Reach, reach_of
from engine.recorded.recording import NO, NOWHERE, Declared, Recorded
from engine.recorded.words import sentences
from engine.traces import PlanView
from engine.truncation import taper


@dataclass(frozen=True)
class Outcome:
    """A trace, the outcome of its reach test, and what both say."""

    recorded: Recorded
    reach: Reach | None  # None where the trace says nothing of what losses lead to
    plan: PlanView  # (S,)
    sentences: tuple[str, ...]
    captions: dict[str, str]  # picture -> sentence


def outcome_of(recorded: Recorded, declared: Declared | None = None) -> Outcome:
    """Returns a trace tested against what it declares, or against another declaration."""
    reach = reach_of(recorded, declared)
    return Outcome(recorded, reach, plan_view(recorded, reach), sentences(recorded, reach), captions(recorded, reach))


def plan_view(recorded: Recorded, reach: Reach | None) -> PlanView:
    """Returns the plan that was declared, else the one that fits, else where the losses that were asked stop."""
    S, stride = recorded.columns, recorded.stride
    reset = np.zeros(S, bool)
    reset[resets(recorded) // stride] = True
    reaches = np.zeros(S, np.int64) if reach is None else _reaches(recorded, reach)
    title = "as recorded" if reach is None else reach.title or reach.fits_title or "as found"
    return PlanView(title, np.unique(recorded.about.windows // stride), _cut(recorded), reset, reaches,
                    taper(reaches))


def _reaches(recorded: Recorded, reach: Reach) -> Ints:
    """Returns for each column the column that the loss at its first step should lead back to."""
    steps = np.arange(recorded.columns, dtype=np.int64) * recorded.stride
    style = reach.declared or reach.fits
    if style is not None:
        return np.asarray(expected(style, steps, recorded.about.windows, resets(recorded)) // recorded.stride)
    place = np.minimum(np.searchsorted(reach.losses, steps), len(reach.losses) - 1)
    found = np.where(reach.found[place] == NOWHERE, reach.losses[place], reach.found[place])
    return np.asarray(np.minimum(found, steps) // recorded.stride)


def _cut(recorded: Recorded) -> Bools:
    """Returns the columns in which an edge is cut in every row."""
    out = np.zeros(recorded.columns, bool)
    if recorded.edge is not None:
        cut = np.flatnonzero(recorded.everywhere(recorded.edge, NO))
        out[cut[cut > 0] // recorded.stride] = True
    return out
