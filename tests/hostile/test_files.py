"""Mutants of every kind of file: only our exceptions leave the parsers. Many more: python -m tests.hostile.files."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.hostile.files import MOST_BYTES, MOST_SECONDS, PARSERS, Parser, attack
from tests.hostile.mutating import CHANGES, mutant

EACH = 350


@pytest.mark.parametrize("name", PARSERS)
def test_mutants(name: str) -> None:
    found = attack(name, EACH, seed=1)
    assert found.faults == []
    assert found.read + found.refused == EACH
    assert found.refused > EACH // 10  # they do come to where things are checked
    assert found.slowest <= MOST_SECONDS
    assert found.grown <= MOST_BYTES


def test_what_they_are_made_of_is_good() -> None:
    for parser in PARSERS.values():
        assert all(parser.read(good) is not None for good in parser.good)


def test_every_change_changes_something() -> None:
    rng = random.Random(0)
    for change in CHANGES:
        assert any(change(b"a 1.5 b 2" * 9, rng) != b"a 1.5 b 2" * 9 for _ in range(9)), change
    assert mutant(b"", rng) == b""


@pytest.mark.parametrize("fault", [ValueError, KeyError, MemoryError, RecursionError, OverflowError])
def test_another_exception_would_be_seen(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> object:
        if data != b"good":
            raise fault("not ours")
        return data

    reader: Callable[[bytes], object] = broken
    monkeypatch.setitem(PARSERS, "csv", Parser(reader, [b"good"]))
    assert len(attack("csv", 20, seed=0).faults) >= 15
