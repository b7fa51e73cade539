"""The staircase of a reach test in characters: a line a loss, the latest below, and a column each few steps."""

from __future__ import annotations

import numpy as np

from engine.arrays import Ints
from engine.recorded import Reach
from engine.recorded.recording import NOWHERE

MOST_LINES, MOST_COLUMNS = 24, 64
REACHED, TOO_FAR, MISSED, BEYOND, OWN = "#", "!", "?", ".", "L"
KEY = f"{OWN} its loss   {REACHED} reached   {BEYOND} not reached"
DIFFERENCES = f"   {TOO_FAR} reached, but should not be   {MISSED} not reached, but should be"


def staircase(reach: Reach, steps: int) -> str:
    """Returns the picture with its key; of many losses an even selection, and all kinds of difference are kept."""
    stride = -(-steps // MOST_COLUMNS)
    width = max(4, len(f"{reach.losses[-1]}"))
    head = f"{'loss':>{width}}   state step 0 to {steps - 1}" + (f", {stride} a character" if stride > 1 else "")
    lines = [f"{reach.losses[place]:>{width}}   {_line(reach, place, steps, stride)}" for place in _shown(reach)]
    return "\n".join([head, *lines, KEY + (DIFFERENCES if reach.differs.any() else "")])


def _shown(reach: Reach) -> Ints:
    """Returns the losses that have a line: the one that is spoken of, and as many others as there is room for."""
    even = np.linspace(0, len(reach.losses) - 1, min(len(reach.losses), MOST_LINES)).round().astype(np.int64)
    return np.unique(np.append(even, reach.shown))


def _line(reach: Reach, place: int, steps: int, stride: int) -> str:
    s, found = int(reach.losses[place]), int(reach.found[place])
    wanted = found if reach.expected is None else int(reach.expected[place])
    first = s + 1 if found == NOWHERE else found
    at = np.arange(0, steps, stride)
    line = np.full(len(at), BEYOND)
    line[_columns(first, s, stride)] = REACHED
    if first < wanted:
        line[_columns(first, wanted - 1, stride)] = TOO_FAR
    elif first > wanted:
        line[_columns(wanted, min(first - 1, s), stride)] = MISSED
    line[s // stride] = OWN
    return "".join(line)


def _columns(first: int, last: int, stride: int) -> slice:
    return slice(first // stride, last // stride + 1)
