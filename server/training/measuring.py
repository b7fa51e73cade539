"""What a strategy's updates take in memory, measured on a lane while it runs."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
ELSEWHERE = ("lab", "network", "strategy", "corpus")  # what lanes share, or what has no arrays of its own


def traced(work: Callable[[], T]) -> tuple[T, int]:
    """Returns what the work returns, and the most bytes that it took at a time beyond those held before."""
    gc.collect()
    tracemalloc.start()
    try:
        done = work()
        return done, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def held(thing: Any) -> int:
    """Returns the bytes of all arrays that a thing holds, each counted once, however many views of it there are."""
    found: dict[int, int] = {}
    seen: set[int] = set()
    pending = [thing]
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, np.ndarray):
            root = _root(each)
            found[id(root)] = root.nbytes
        else:
            pending.extend(_parts(each))
    return sum(found.values())


def _root(array: NDArray[Any]) -> NDArray[Any]:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, (list, tuple)):
        yield from thing
    elif isinstance(thing, dict):
        yield from thing.values()
    elif type(thing).__module__.startswith("engine.") and hasattr(thing, "__dict__"):
        yield from (value for name, value in vars(thing).items() if name not in ELSEWHERE)
