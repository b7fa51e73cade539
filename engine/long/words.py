"""What the numbers of a long sequence say, in sentences."""

from __future__ import annotations

import numpy as np

from engine.arrays import Ints
from engine.phrases import almost, count, degrees, number, percent
from engine.traces import Analysis, Comparison, Costs, Words
from engine.words import EMPTY, REACH, REACH_ALL

__all__ = ["EMPTY", "costs", "headline", "norms", "of_closeup", "overview"]


def headline(config: dict[str, object], costs: Costs, reach: Ints, last: int, cuts: bool) -> str:
    """Returns how far the last loss reaches, and what the cuts leave of the gradient."""
    r = int(reach[last])
    first = REACH.format(s=last, r=r) if r else REACH_ALL.format(s=last)
    return f"{first} {_kept(config, costs, cuts)}"


def _kept(config: dict[str, object], costs: Costs, cuts: bool) -> str:
    if not cuts:
        return "Nothing is cut: this is full BPTT."
    one = config["layers"] == 1
    subject, c = ("the gradient of W_hh", costs.blocks["l0.W_hh"]) if one else ("the whole gradient", costs.whole)
    if np.isnan(c.kept):
        return f"Of {subject} no share can be given, because in full it is {_why(c)}."
    against = " It points against the full one." if c.kept < 0 else ""
    return f"Truncation keeps {percent(c.kept)} of {subject} and turns it by {degrees(c.angle)}.{against}"


def _why(c: Comparison) -> str:
    return "zero" if c.norm_full == 0 else "not finite"


def overview(T: int, size: int, windows: int) -> str:
    """Returns what an overview shows, and how."""
    each = f"a column is {count(size, 'step')}, and shows their largest gradient and mean credit"
    each = "a column is one step" if size == 1 else each
    return (f"All {T:,} steps, in {count(windows, 'window')}: {each}. Only the steps that are picked here are drawn "
            "one by one below.")


def norms(truncated: float, full: float) -> str:
    """Returns the largest gradient that arrives at a step."""
    return (f"The largest gradient at any step has norm {number(full)} under full BPTT and {number(truncated)} under "
            "the truncation.")


def costs(found: Costs, cuts: bool) -> str:
    """Returns the whole gradient's cosine, error and share."""
    whole = found.whole
    if not cuts:
        return "The gradient is that of full BPTT: cosine 1, relative error 0."
    if np.isnan(whole.kept):
        return "The full gradient is zero or not finite, so the two cannot be compared."
    return (f"Over the whole sequence, beside full BPTT, the gradient has cosine {almost(whole.cosine)}, relative "
            f"error {percent(whole.relative_error)}, and keeps {percent(whole.kept)}.")


def of_closeup(found: Analysis, first: int) -> Words:
    """Returns the sentences beside a close-up's pictures; steps are named by their numbers in the whole sequence."""
    last = first + len(found.states.h) - 1
    return Words(headline="", reach=REACH, reach_all=REACH_ALL, norms=_norms(found, first, last),
                 credit=_credit(found, first), carry_over=_carry_over(found, first, last),
                 costs=costs(found.costs, found.truncated is not found.full),
                 certificate="", questions={})


def _norms(found: Analysis, first: int, last: int) -> str:
    if found.nonfinite.note:
        return found.nonfinite.note
    part, whole = found.truncated.h, found.full.h
    where = f"From step {first} to step {last}"
    if not (whole > 0).any():
        return f"{where} no gradient arrives under full BPTT."
    with np.errstate(all="ignore"):
        t = int(np.where(whole > 0.01 * whole.max(), part / whole, np.inf).argmin())
    return (f"{where} the truncation costs most at step {first + t}: a gradient of norm {number(part[t])} arrives "
            f"there, where full BPTT brings {number(whole[t])}, later losses' included.")


def _credit(found: Analysis, first: int) -> str:
    if found.credit is None or not len(found.credit.loss_steps):
        return "No loss is read at these steps."
    s, row = int(found.credit.loss_steps[-1]), found.credit.h[-1]
    return (f"Uncut, the gradient of the loss at step {first + s} goes from {number(row[s])} at its own step to "
            f"{number(row[0])} at step {first}, the first one here; it may go on from there.")


def _carry_over(found: Analysis, first: int, last: int) -> str:
    gap = found.carry_over.distance
    if not np.isfinite(gap).all():
        return "The state is not finite at some of these steps, so no distance can be given."
    t = int(gap.argmax())
    if gap[t] == 0:
        return f"From step {first} to step {last} the state is the same, carried or reset."
    return (f"From step {first} to step {last} a state that is reset at every window's start is at most "
            f"{number(gap[t])} away from the carried one, at step {first + t}.")
