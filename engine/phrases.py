"""Numbers as a reader wants them in a sentence. (leaf)"""

from __future__ import annotations

import math
from collections.abc import Iterable


def number(x: float) -> str:
    """Returns a number in three significant digits, in powers of ten where it is very large or small."""
    if not math.isfinite(x):
        return "infinitely large" if math.isinf(x) else "undefined"
    if x == 0:
        return "0"
    if 999.5 <= abs(x) < 1e5:
        return f"{float(f'{x:.3g}'):,.0f}"
    return f"{x:.3g}" if 1e-3 <= abs(x) < 1e5 else f"{x:.1e}"


def percent(share: float) -> str:
    """Returns a share as a percentage: whole from 10 % on, and never a nonzero share as 0 %."""
    value = 100 * share + 0.0  # no minus zero
    if not math.isfinite(value):
        return number(value)
    if 99.5 <= value < 100:
        return f"{almost(share, 100)} %"
    if value == 0 or abs(value) >= 9.95:
        return f"{value:,.0f} %" if abs(value) < 1e6 else f"{value:.1e} %"
    return f"{value:.1f} %" if abs(value) >= 0.095 else f"{value:.1g} %"


def almost(share: float, whole: int = 1) -> str:
    """Returns a share of about 1 with as many digits as tell it from 1: '0.9974', or '99.7' of 100."""
    fewest = 3 if whole == 1 else 1
    for digits in range(fewest, fewest + 3):
        text = f"{share * whole:.{digits}f}"
        if float(text) != whole:
            return text
    return f"{whole}" if abs(share - 1) < 1e-12 else f"almost {whole}"


def change(before: float, after: float) -> str:
    """Returns 'grows by a factor of 12' or 'shrinks by 8 %', for two positive finite numbers."""
    verb, ratio = ("grows", after / before) if after >= before else ("shrinks", before / after)
    if ratio < 1.5:
        return f"{verb} by {percent(abs(after / before - 1))}"
    return f"{verb} by a factor of {number(ratio)}"


def degrees(angle: float) -> str:
    """Returns '24 degrees', '1 degree', 'less than a degree'."""
    if 0 < angle < 0.5:
        return "less than a degree"
    return count(round(angle), "degree")


def count(n: int, thing: str) -> str:
    """Returns '1 step', '5 steps'."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def steps_list(steps: Iterable[int], most: int = 3) -> str:
    """Returns 'step 20', 'steps 20 and 40', or 'steps 20, 40, 60 and 7 more'."""
    items = [str(int(step)) for step in steps]
    if len(items) == 1:
        return f"step {items[0]}"
    if len(items) <= most:
        return f"steps {', '.join(items[:-1])} and {items[-1]}"
    return f"steps {', '.join(items[:most])} and {len(items) - most} more"
