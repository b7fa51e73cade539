"""Which two strategies of a lab are worth holding against each other, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, permutations

from engine.training.lab import Lab
from engine.training.strategies import Strategy

ENDLESS = 10**9


@dataclass(frozen=True)
class Pair:
    """`second` against `first`: what changes from one to the other is the kind."""

    kind: str  # value | window | order | frozen | first
    first: int
    second: int


def pairs_of(lab: Lab) -> tuple[Pair, ...]:
    """Returns the pairs that matter, each once. First those that differ in one thing alone: the state reset or
    carried, a shorter or a longer window (neighbours in length, and the shortest with the longest), the
    windows in order or shuffled, W_hh frozen or learned. Then the lab's first strategy with each that is left."""
    found: dict[frozenset[int], Pair] = {}
    for pair in (*_one_thing(lab), *_windows(lab), *_firsts(lab)):
        found.setdefault(frozenset((pair.first, pair.second)), pair)
    return tuple(found.values())


def _one_thing(lab: Lab) -> Iterator[Pair]:
    """The second of a pair is the one with the state carried, shuffled, learned: what the sentence is about."""
    changes: dict[str, tuple[dict[str, object], dict[str, object]]] = {
        "value": ({"value": "reset"}, {"value": "carry"}),
        "order": ({"order": "stream"}, {"order": "shuffled"}),
        "frozen": ({"frozen": True}, {"frozen": False}),
    }
    for kind, (before, after) in changes.items():
        for (i, a), (j, b) in permutations(enumerate(lab.strategies), 2):
            if replace(a, **before) == a and replace(b, **after) == b and replace(a, **after) == b:  # type: ignore[arg-type]
                yield Pair(kind, i, j)


def _windows(lab: Lab) -> Iterator[Pair]:
    """Windows and full BPTT of one value, order and freezing, by length."""
    groups: dict[Strategy, list[tuple[int, int]]] = {}
    for index, strategy in enumerate(lab.strategies):
        for key, length in _lengths(strategy):
            groups.setdefault(key, []).append((length, index))
    for group in groups.values():
        ordered = [index for _, index in sorted(group)]
        ends = [(ordered[0], ordered[-1])] if len(ordered) > 2 else []
        for first, second in [*pairwise(ordered), *ends]:
            yield Pair("window", first, second)


def _lengths(strategy: Strategy) -> Iterator[tuple[Strategy, int]]:
    """A group's key and the length there. Full BPTT stands at the end of the carried and of the reset windows."""
    if strategy.style == "window":
        yield replace(strategy, k=1), strategy.k
    elif strategy.style == "full":
        yield replace(strategy, style="window", k=1, value="carry"), ENDLESS
        yield replace(strategy, style="window", k=1, value="reset"), ENDLESS


def _firsts(lab: Lab) -> Iterator[Pair]:
    return (Pair("first", 0, index) for index in range(1, len(lab.strategies)))
