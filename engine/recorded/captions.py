"""What each picture of a trace shows, in a sentence."""

from __future__ import annotations

import numpy as np

from engine.arrays import Floats
from engine.phrases import count, number, steps_list
from engine.recorded.reach import Reach
from engine.recorded.recording import NOWHERE, Recorded
from engine.recorded.words import short

MIB = 1 << 20
MOST_DRAWN = 8  # rows that have a line in one picture


def captions(recorded: Recorded, reach: Reach | None) -> dict[str, str]:
    """Returns picture -> sentence, for the pictures that the trace has numbers for."""
    found = {"loss": _loss(recorded)}
    for name, about in (("grad", "gradient"), ("state", "state")):
        if getattr(recorded, name):
            found[name] = _rows(recorded, getattr(recorded, name), about)
    if recorded.norm_before is not None or recorded.norm_after is not None:
        found["parameters"] = _parameters(recorded.norm_before, recorded.norm_after)
    if recorded.memory is not None and recorded.memory.size:
        found["memory"] = _memory(recorded.memory)
    if reach is not None:
        found["staircase"] = _staircase(reach)
        found |= {f"credit:{row}": _credit(recorded, reach, row) for row in recorded.credit}
    return found


def _loss(recorded: Recorded) -> str:
    values = recorded.loss.per_step
    if not np.isfinite(values).any():
        return "Not one step has a loss that is a finite number."
    there = int((~np.isnan(values)).sum())
    top = int(np.nanargmax(np.where(np.isfinite(values), values, np.nan)))
    unit = "step" if recorded.stride == 1 else "column"
    return (f"A loss stands at {count(there, unit)}; their mean is {number(recorded.loss.mean)}, the largest is "
            f"{number(float(values[top]))} at {_step(recorded, top)}.{_odd(values)}")


def _rows(recorded: Recorded, rows: dict[str, Floats], about: str) -> str:
    """Returns where the largest and the smallest norm of all rows stand."""
    names, values = short(tuple(rows)), np.stack(list(rows.values()))
    usable = np.isfinite(values) & (values > 0)
    if not usable.any():
        what = "NaN: none was recorded, or all of them exploded" if np.isnan(values).all() else "0 or not finite"
        return f"Every norm of a {about} in this trace is {what}."
    top = np.unravel_index(np.where(usable, values, -np.inf).argmax(), values.shape)
    low = np.unravel_index(np.where(usable, values, np.inf).argmin(), values.shape)
    listed = list(names.values())
    parts = [f"{name} {number(float(values[place]))} ({listed[place[0]]}, {_step(recorded, int(place[1]))})"
             for name, place in (("largest", top), ("smallest", low))]
    return f"The norm of the {about} is {parts[0].replace('largest', 'at most', 1)} and at least " \
           f"{parts[1].removeprefix('smallest ')}.{_odd(values)}{_left_out(rows)}"


def _left_out(rows: dict[str, Floats]) -> str:
    return f" The first {MOST_DRAWN} of {len(rows)} states are drawn." if len(rows) > MOST_DRAWN else ""


def _odd(values: Floats) -> str:
    infinite = int(np.isinf(values).sum())
    return f" {infinite} of the values shown {'is' if infinite == 1 else 'are'} infinite." if infinite else ""


def _step(recorded: Recorded, column: int) -> str:
    first = column * recorded.stride
    last = min(recorded.steps, first + recorded.stride) - 1
    return f"step {first}" if first == last else f"steps {first} to {last}"


def whole(norms: Floats) -> Floats:
    """(U, Q) -> (U,): the norm of all parameters together."""
    return np.asarray(np.hypot.reduce(norms, axis=1) if norms.shape[1] else np.full(len(norms), np.nan))


def _parameters(before: Floats | None, after: Floats | None) -> str:
    if before is None or after is None or not before.size:
        kind = "before" if after is None else "after"
        return f"Only the norms {kind} clipping were recorded."
    a, b = whole(before), whole(after)
    clipped = int((b < a * (1 - 1e-6)).sum())
    if not np.isfinite(a).any():
        return "Not one update has a gradient that is finite."
    largest = f"The largest norm of all parameters together is {number(float(np.nanmax(a)))}"
    if not clipped:
        any_of = "the one update" if len(a) == 1 else f"any of the {len(a)} updates"
        return f"{largest}; clipping changes nothing in {any_of}."
    return f"Clipping shortens the gradient in {clipped} of {count(len(a), 'update')}. {largest} before it and " \
           f"{number(float(np.nanmax(b)))} after it."


def _memory(memory: Floats) -> str:
    known = memory[np.isfinite(memory)] / MIB
    if not len(known):
        return "How much was resident at an update was not recorded."
    first, last = float(known[0]), float(known[-1])
    if len(known) == 1:
        return f"{number(first)} MiB are resident at the one update."
    each = (last - first) / (len(known) - 1)
    grows = f"it grows by {number(each)} MiB an update" if each > 0.01 * max(first, 1.0) else "it does not grow"
    return f"From {number(first)} MiB at the first update to {number(last)} MiB at the last: {grows}."


def _staircase(reach: Reach) -> str:
    """Returns which losses differ, or that none does."""
    if reach.expected is None:
        return "How far each loss leads back, as it was found; nothing was declared to hold it against."
    wrong = reach.losses[reach.differs]
    if not len(wrong):
        return f"Each loss stops where {reach.title} has it stop."
    who, do, them = ("loss", "does", "it") if len(wrong) == 1 else ("losses", "do", "them")
    return f"The {who} at {steps_list(wrong)} {do} not stop where {reach.title} would have {them} stop."


def _credit(recorded: Recorded, reach: Reach, row: str) -> str:
    """Returns how far the shown loss leads in this row, and what arrives there."""
    s, r = int(reach.losses[reach.shown]), int(reach.by_row[row][reach.shown])
    if r == NOWHERE:
        return f"The loss at step {s} does not lead to this state."
    matrix = recorded.credit[row].h[reach.shown]
    here, there = float(matrix[s // recorded.stride]), float(matrix[r // recorded.stride])
    norms = [f"{number(norm)} {where}" for norm, where in ((here, "at its own step"), (there, "there"))
             if not np.isnan(norm)]
    felt = f": its gradient has norm {' and '.join(norms)}" if norms else ""
    return f"The loss at step {s} leads back to step {r}{felt}."
