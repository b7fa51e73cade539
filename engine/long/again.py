"""Segments from the last to the first, each run forward again from a state that was kept (Gruslys et al. 2016).

With s states kept beside the one at the start, and every segment run forward at most r times before its own turn,
C(s + r, s) segments can be served: going on to the last C(s + r - 1, s - 1) of them, a state is kept there, they are
served with s - 1 states, and what comes before is served with s states and r - 1 runs (Griewank & Walther 2000,
whose schedule is the least work for its memory).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import comb
from typing import TypeVar

from engine.arrays import Array

States = tuple[Array, ...]  # per layer (S, B)
Span = TypeVar("Span")
Out = TypeVar("Out")
Run = Callable[[Span, States], tuple[Out, States]]  # a segment, the states before it -> what it gives, those after


def backwards(run: Run[Span, Out], spans: Sequence[Span], states: States, kept: int) -> Iterator[tuple[Span, Out]]:
    """Yields each span with what running it gives, the last one first, holding at most `kept` further states."""
    if len(spans) == 1:
        yield spans[0], run(spans[0], states)[0]
        return
    middle, at = len(spans) - later(len(spans), kept), states
    for span in spans[:middle]:
        at = run(span, at)[1]
    yield from backwards(run, spans[middle:], at, max(0, kept - 1))
    yield from backwards(run, spans[:middle], states, kept)


def later(count: int, kept: int) -> int:
    """Returns how many of the segments, the last ones, are served from a state that is kept before them."""
    if kept == 0:
        return 1
    runs = 1
    while comb(kept + runs, kept) < count:
        runs += 1
    return min(count - 1, comb(kept - 1 + runs, kept - 1))
