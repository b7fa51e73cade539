"""How far each loss should lead back, by what was declared; and which style fits what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Ints
from engine.errors import refuse
from engine.phrases import count
from engine.recorded.recording import NO, NOWHERE, Declared, Recorded

NUMBERS = {"full": (), "window": ("k",), "sliding": ("k",), "k1k2": ("k1", "k2")}
VALUES = ("carry", "reset")
MOST_K = 1_000_000
TEXT = re.compile(r"(full|window|sliding|k1k2)(?::([0-9]{1,7})(?:,([0-9]{1,7}))?)?(?:,(carry|reset))?")
FORMS = "full, window:K, sliding:K or k1k2:K1,K2, each with ,carry or ,reset behind it where you like"
MOST_TRIED = 2_000  # periods k1 that are tried when a style is looked for


def declared_of(value: object, field: str) -> Declared:
    """Returns a declaration from the JSON of a trace. Raises InputError for one that is none."""
    style = value.get("style") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(style, str) or style not in NUMBERS:
        raise refuse(field, "given", f"must be null or an object whose style is one of {', '.join(NUMBERS)}",
                     'For example {"style": "window", "k": 20}.')
    wanted = NUMBERS[style]
    unknown = [str(name) for name in value if name not in ("style", "value", *wanted)]
    if unknown or value.get("value", "carry") not in VALUES:
        takes = f"{style} takes {' and '.join(wanted) or 'no k'}, and a value of {' or '.join(VALUES)}"
        raise refuse(field, unknown[0] if unknown else "value", takes, 'For example {"style": "window", "k": 20}.')
    numbers = {name: _k(f"{field}.{name}", value.get(name)) for name in wanted}
    return _checked(Declared(style, **numbers, value=value.get("value", "")), field)


def parse_expected(text: str) -> Declared:
    """Returns a declaration from "window:20", "k1k2:10,20", "full,carry" ... Raises InputError for anything else."""
    match = TEXT.fullmatch(text.strip())
    given = [number for number in match.groups()[1:3] if number is not None] if match else []
    if not match or len(given) != len(NUMBERS[match[1]]):
        raise refuse("expect", text, "is no truncation", f"Write {FORMS}.")
    numbers = {name: _k("expect", int(number)) for name, number in zip(NUMBERS[match[1]], given, strict=True)}
    return _checked(Declared(match[1], **numbers, value=match[4] or ""), "expect")


def _k(field: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_K:
        shown = value if isinstance(value, int) and abs(value) < 10**12 else type(value).__name__
        raise refuse(field, shown, f"must be a whole number from 1 to {MOST_K}", "Give the number of steps.")
    return value


def _checked(declared: Declared, field: str) -> Declared:
    if declared.style == "k1k2" and declared.k2 < declared.k1:
        raise refuse(field, f"k1 = {declared.k1}, k2 = {declared.k2}", "k2 must be at least k1",
                     "Each backward pass goes back over all the steps since the last one.")
    return declared


def title(declared: Declared) -> str:
    """Returns "window(20)", "k1k2(10, 20)", "full BPTT"."""
    if declared.style == "full":
        return "full BPTT"
    return f"{declared.style}({', '.join(str(getattr(declared, name)) for name in NUMBERS[declared.style])})"


def resets(recorded: Recorded) -> Ints:
    """Returns the steps after 0 before which every row's value started anew.

    Where rows take turns, as those of an encoder and a decoder, a row that the recording began with is among them."""
    if recorded.value is None:
        return np.zeros(0, np.int64)
    anew = recorded.everywhere(recorded.value, NO)
    if recorded.there is not None:
        anew &= recorded.there[recorded.there[:, 0]].any(axis=0)
    return np.asarray(np.flatnonzero(anew[1:]) + 1, np.int64)


def by_row(recorded: Recorded, wanted: Ints, losses: Ints) -> Ints:
    """Returns where a loss that reaches back to a step (R,) stops in each row (P, R): at the row's first state from
    there on, NOWHERE if there is none up to the loss."""
    out = np.tile(wanted, (len(recorded.about.rows), 1))
    for place, there in enumerate(() if recorded.there is None else recorded.there):
        steps = np.append(np.flatnonzero(there), recorded.steps)
        out[place] = steps[np.searchsorted(steps, wanted)]
        out[place, out[place] > losses] = NOWHERE
    return out


def expected(declared: Declared, steps: Ints, windows: Ints, reset_at: Ints) -> Ints:
    """Returns, for losses at these steps, the earliest state step that each should lead back to.

    Windows are counted from the last reset, or from the end of a last window that was shorter; and nothing leads
    further back than a reset, as there is nothing that it could lead through."""
    floor = _latest(np.concatenate([[0], reset_at]), steps)
    if declared.style == "full":
        return floor
    if declared.style == "sliding":
        return np.asarray(np.maximum(floor, steps - declared.k + 1), np.int64)
    if declared.style == "k1k2":
        ends = floor + ((steps - floor) // declared.k1 + 1) * declared.k1
        return np.asarray(np.maximum(floor, ends - declared.k2), np.int64)
    origin = _latest(_origins(windows, declared.k, reset_at), steps)
    return np.asarray(np.maximum(floor, origin + (steps - origin) // declared.k * declared.k), np.int64)


def _latest(starts: Ints, steps: Ints) -> Ints:
    """Returns for each step the latest of the ascending starts that is not after it; the first is 0."""
    return np.asarray(starts[np.searchsorted(starts, steps, side="right") - 1], np.int64)


def _origins(windows: Ints, k: int, reset_at: Ints) -> Ints:
    """Returns where windows of k are counted from: a shorter one behind at least one whole one ends a sequence."""
    lengths = np.diff(windows)
    short = (lengths[1:] < k) & (lengths[:-1] == k)
    return np.unique(np.concatenate([[0], reset_at, windows[2:][short]])).astype(np.int64)


def fitting(found: Ints, steps: Ints, windows: Ints, reset_at: Ints) -> Declared | None:
    """Returns the simplest style under which losses at these steps lead back exactly as far as was found, or None."""
    floor = expected(Declared("full"), steps, windows, reset_at)
    if (found == floor).all() and not _cut_at_starts(found, windows, reset_at):
        return Declared("full")
    for tried in (*_windows(found, steps, windows), *_slides(found, steps, floor), *_periods(found, steps, floor)):
        if (expected(tried, steps, windows, reset_at) == found).all():
            return tried
    return None


def _cut_at_starts(found: Ints, windows: Ints, reset_at: Ints) -> bool:
    """Returns whether a loss stops at a window's start where no reset explains it."""
    return bool((np.isin(found, windows[1:]) & ~np.isin(found, reset_at)).any())


def _windows(found: Ints, steps: Ints, windows: Ints) -> list[Declared]:
    """Returns window(k) for the k that can be: the recorded windows' length, and the divisors of where losses stop."""
    lengths = np.diff(windows)
    recorded = [int(np.bincount(lengths).argmax())] if len(lengths) else []
    common = int(np.gcd.reduce(found[found > 0])) if (found > 0).any() else 0
    most = int((steps - found).max()) + 1
    divisors = [k for k in range(most, min(common, most + MOST_TRIED) + 1) if common % k == 0] if common else []
    return [Declared("window", k=k) for k in (*recorded, *reversed(divisors))]


def _slides(found: Ints, steps: Ints, floor: Ints) -> list[Declared]:
    free = found > floor
    spans = np.unique((steps - found + 1)[free])
    return [Declared("sliding", k=int(spans[0]))] if len(spans) == 1 else []


def _periods(found: Ints, steps: Ints, floor: Ints) -> list[Declared]:
    """Returns k1k2(k1, k2) for every k1 with which one k2 explains all the losses that do not reach a floor."""
    free = found > floor
    if free.sum() < 2:
        return []
    back, since = found[free], (steps - floor)[free]
    out = []
    for k1 in range(2, min(int(since.max()) + 2, MOST_TRIED)):
        spans = floor[free] + (since // k1 + 1) * k1 - back
        if (spans == spans[0]).all() and spans[0] >= k1:
            out.append(Declared("k1k2", k1=k1, k2=int(spans[0])))
    return out


def sections(windows: Ints, steps: int) -> NDArray[np.int64]:
    """Returns the lengths of the recorded forward passes."""
    return np.diff(np.append(windows, steps))


def in_sections(lengths: Ints) -> str:
    """Returns "5 sections of 20 or 21 steps"."""
    low, high = int(lengths.min()), int(lengths.max())
    size = f"{low}" if low == high else f"{low} or {high}" if high == low + 1 else f"{low} to {high}"
    return f"{count(len(lengths), 'section')} of {size} steps"
