"""The reach test: how far each loss leads back, beside how far it should by what was declared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.recorded.expected import by_row, expected, fitting, resets, title
from engine.recorded.recording import NO, NOWHERE, UNKNOWN, YES, Declared, Reached, Recorded

VANISHED = 1e-6  # what arrives, beside what is there at the loss's own step


@dataclass(frozen=True)
class Crossing:
    """What carries the gradient over the starts of windows that it should not cross."""

    leaking: tuple[str, ...]  # rows that are not cut there
    cut: tuple[str, ...]  # rows that are
    certain: bool  # False: without `edge` it cannot be told which of several rows carries it


@dataclass(frozen=True)
class Values:
    """The starts of windows (after the first), by what happens to the state's value there."""

    carried: Ints
    reset: Ints
    mixed: Ints  # some rows are reset, others not


@dataclass(frozen=True)
class Reach:
    """What was expected and what was found. Steps; NOWHERE for a loss that leads to no state."""

    declared: Declared | None
    title: str  # of what was declared; "" for nothing
    losses: Ints  # (R,) the loss steps that were asked about
    expected: Ints | None  # (R,) the earliest step that each should lead to; None: nothing was declared
    found: Ints  # (R,) the earliest step that each leads to, over all rows
    by_row: dict[str, Ints]  # row -> (R,)
    differs: Bools  # (R,)
    agrees: bool | None  # None: nothing was declared
    fits: Declared | None  # the simplest style that explains what was found
    fits_title: str
    crossing: Crossing | None  # None where nothing crosses
    values: Values
    shown: int  # the loss, by its place among the losses, that the sentences speak of
    arriving: Floats  # (R,) largest credit of a row at the loss's reach, as a share of its own step's; NaN unknown
    by_graph: bool


def reach_of(recorded: Recorded, declared: Declared | None = None) -> Reach | None:
    """Returns the outcome of the reach test; None if the trace says nothing of what losses lead to.

    `declared` stands for what the trace itself declares."""
    reached = recorded.reached
    if reached is None:
        return None
    declared = declared or recorded.about.declared
    windows, reset_at = recorded.about.windows, resets(recorded)
    found = _earliest(reached.first)
    wanted = None if declared is None else expected(declared, reached.losses, windows, reset_at)
    differs = np.zeros(len(found), bool) if wanted is None else _differs(recorded, reached, found, wanted)
    values = _values(recorded)
    fits = None if (found == NOWHERE).any() else fitting(found, reached.losses, windows, reset_at)
    return Reach(
        declared=declared, title="" if declared is None else title(declared), losses=reached.losses,
        expected=wanted, found=found, by_row=dict(zip(recorded.about.rows, reached.first, strict=True)),
        differs=differs, agrees=None if declared is None else not differs.any() and _value_kept(declared, values),
        fits=fits, fits_title="" if fits is None else title(fits),
        crossing=None if wanted is None else _crossing(recorded, reached, found, wanted),
        values=values, shown=_shown(reached.losses, found, wanted, differs),
        arriving=_arriving(recorded, found), by_graph=reached.by_graph)


def _earliest(first: Ints) -> Ints:
    """(P, R) -> (R,): the earliest step of any row."""
    last = np.iinfo(np.int64).max
    earliest = np.where(first == NOWHERE, last, first).min(axis=0)
    return np.where(earliest == last, NOWHERE, earliest)


def _differs(recorded: Recorded, reached: Reached, found: Ints, wanted: Ints) -> Bools:
    """Returns which losses do not lead where they should, by any row that leads anywhere at all."""
    related = (reached.first != NOWHERE).any(axis=1)
    should = by_row(recorded, wanted, reached.losses)
    return np.asarray((reached.first != should)[related].any(axis=0) | (found != wanted))


def _value_kept(declared: Declared, values: Values) -> bool:
    """Returns whether the value is carried, or reset, as was declared (nothing declared: either will do)."""
    if declared.value == "carry":
        return not len(values.reset) and not len(values.mixed)
    return not (declared.value == "reset" and (len(values.carried) or len(values.mixed)))


def _values(recorded: Recorded) -> Values:
    starts = recorded.about.windows[1:]
    if recorded.value is None:
        return Values(starts[:0], starts[:0], starts[:0])
    carried, reset = (recorded.everywhere(recorded.value, flag)[starts] for flag in (YES, NO))
    mixed = (recorded.value[:, starts] == NO).any(axis=0) & ~reset
    return Values(starts[carried], starts[reset], starts[mixed])


def _crossing(recorded: Recorded, reached: Reached, found: Ints, wanted: Ints) -> Crossing | None:
    """Returns what carries a gradient over the start of a forward pass, where a loss leads further than it should."""
    windows, rows = recorded.about.windows, recorded.about.rows
    last = windows[np.searchsorted(windows, reached.losses, side="right") - 1]
    over = np.flatnonzero((found != NOWHERE) & (found < wanted) & (found < last))
    if not len(over):
        return None
    starts = np.unique(last[over])
    if recorded.edge is not None and (recorded.edge[:, starts] != UNKNOWN).all():
        is_open, certain = (recorded.edge[:, starts] == YES).any(axis=1), True
    else:
        there = (reached.first[:, over] != NOWHERE) & (reached.first[:, over] < last[over])
        is_open = (there & (reached.gaps[:, over] == 0)).any(axis=1)
        certain = int(is_open.sum()) == 1
    leaking = tuple(row for row, leaks in zip(rows, is_open, strict=True) if leaks)
    return Crossing(leaking, tuple(row for row in rows if row not in leaking), certain)


def _shown(losses: Ints, found: Ints, wanted: Ints | None, differs: Bools) -> int:
    """Returns the loss to speak of: the one that is furthest off, or else the one with the longest way back."""
    if wanted is not None and differs.any():
        size = np.where(found == NOWHERE, losses + 1, np.abs(found - wanted) + 1) * differs
    else:
        size = losses - found
    return int(len(size) - 1 - size[::-1].argmax())


def _arriving(recorded: Recorded, found: Ints) -> Floats:
    """Returns what arrives at each loss's reach as a share of what is at its own step; in long traces by columns."""
    out = np.full(len(found), np.nan)
    if recorded.reached is None or not recorded.credit:
        return out
    largest = np.fmax.reduce([matrix.h for matrix in recorded.credit.values()]).astype(np.float64)
    rows = np.arange(len(found))
    here = largest[rows, recorded.reached.losses // recorded.stride]
    there = largest[rows, np.maximum(found, 0) // recorded.stride]
    known = (found != NOWHERE) & (here > 0) & np.isfinite(here) & np.isfinite(there)
    with np.errstate(over="ignore"):  # a share beyond what a float holds is infinite, and shown as that
        out[known] = there[known] / here[known]
    return out
