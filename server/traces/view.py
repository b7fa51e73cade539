"""What is answered about a recorded trace: the trace, the outcome of its reach test, and the pictures, all bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Floats, Ints
from engine.recorded import Origin, Outcome, Reach
from engine.recorded.captions import whole
from engine.recorded.words import short
from engine.traces import Credit, LossView, PlanView
from server.figures.bins import bin_starts, largest
from server.figures.credit import MOST_ROWS
from server.figures.recorded import MOST_MATRICES, draw_all
from server.figures.recorded.updates import MOST_UPDATES, few


@dataclass(frozen=True)
class Updates:
    """What was recorded at each update; of more than 2,000 updates the largest of each few."""

    first: Ints  # the update of each entry, or the first of those that it stands for
    before: Floats | None  # norm of all parameters' gradient together, before clipping
    after: Floats | None
    memory: Floats | None  # resident bytes


@dataclass(frozen=True)
class ParameterNorms:
    """The largest norm that each parameter's gradient had at an update."""

    names: tuple[str, ...]
    before: Floats | None
    after: Floats | None


@dataclass(frozen=True)
class TraceAnswer:
    """A recorded trace and its reach test. Arrays over time are in columns of `stride` steps each."""

    about: Origin
    short: dict[str, str]  # row -> its name without what all rows begin with
    steps: int
    stride: int
    agrees: bool | None  # whether what was found is what was declared; null: nothing was declared
    sentences: tuple[str, ...]
    captions: dict[str, str]  # picture -> sentence
    reach: Reach | None
    plan: PlanView
    loss: LossView
    state: dict[str, Floats]
    grad: dict[str, Floats]
    credit: dict[str, Credit]  # of the rows that are drawn; at most 300 losses by 400 columns, the largest of each few
    updates: Updates | None
    parameters: ParameterNorms | None
    figures: dict[str, Any]


def view_of(found: Outcome) -> TraceAnswer:
    """Returns what is answered about a trace."""
    recorded, reach = found.recorded, found.reach
    return TraceAnswer(
        about=recorded.about, short=short(recorded.about.rows), steps=recorded.steps, stride=recorded.stride,
        agrees=None if reach is None else reach.agrees, sentences=found.sentences, captions=found.captions,
        reach=reach, plan=found.plan, loss=recorded.loss, state=recorded.state, grad=recorded.grad,
        credit={row: _binned(matrix) for row, matrix in list(recorded.credit.items())[:MOST_MATRICES]},
        updates=_updates(found), parameters=_parameters(found), figures=draw_all(found))


def _binned(credit: Credit) -> Credit:
    h = np.asarray(credit.h, np.float64)
    marked = np.where(np.isnan(h), -1.0, h)
    shown = largest(largest(marked, 1), 0, MOST_ROWS)
    rows = credit.loss_steps[bin_starts(len(credit.loss_steps), MOST_ROWS)]
    return Credit(rows, np.where(shown < 0, np.nan, shown), None, credit.complete)


def _updates(found: Outcome) -> Updates | None:
    recorded = found.recorded
    arrays = (recorded.norm_before, recorded.norm_after, recorded.memory)
    count = next((len(array) for array in arrays if array is not None), 0)
    if not count:
        return None
    before, after, memory = (None if array is None else few(whole(array) if array.ndim == 2 else array)[1]
                             for array in arrays)
    return Updates(bin_starts(count, MOST_UPDATES), before, after, memory)


def _parameters(found: Outcome) -> ParameterNorms | None:
    recorded = found.recorded
    before, after = (None if norms is None or not norms.size else np.fmax.reduce(norms, axis=0)
                     for norms in (recorded.norm_before, recorded.norm_after))
    return None if before is None and after is None else ParameterNorms(recorded.about.parameters, before, after)
