"""How far a loss should lead back: the closed forms beside the engine's own plans, for many lengths and periods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.recorded.expected import expected, fitting
from engine.recorded.recording import Declared
from engine.truncation import plan_of, reach

NONE = np.zeros(0, np.int64)
STEPS = (2, 7, 20, 41)
STYLES: list[tuple[str, dict[str, int]]] = [("full", {})]
STYLES += [(style, {"k": k}) for style in ("window", "sliding") for k in (1, 2, 5, 7, 20, 60)]
STYLES += [("k1k2", {"k1": k1, "k2": k2}) for k1, k2 in ((1, 1), (1, 6), (3, 3), (3, 7), (5, 6), (10, 30))]


@pytest.mark.parametrize("T", STEPS)
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("value", ["carry", "reset"])
def test_the_closed_forms_are_those_of_the_plans(T: int, style: tuple[str, dict[str, int]], value: str) -> None:
    name, numbers = style
    options: dict[str, Any] = {"style": name, "steps": T, "task": "series", **numbers}
    plan = plan_of(engine.parse(options | ({"value": value} if name != "full" else {})))
    asked = expected(Declared(name, **numbers), np.arange(T), plan.starts, np.flatnonzero(plan.reset))
    assert np.array_equal(asked, reach(plan))


def test_a_backward_pass_of_k1k2_does_not_go_back_over_a_reset() -> None:
    at = expected(Declared("k1k2", k1=3, k2=7), np.arange(12), np.arange(0, 12, 3), np.array([6]))
    assert at.tolist() == [0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6]


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_what_was_found_is_explained_by_the_style_that_made_it(style: tuple[str, dict[str, int]]) -> None:
    """Or by a simpler one that has the same staircase: sliding(1) is window(1), and k beyond T is full."""
    name, numbers = style
    T = 41
    declared = Declared(name, **numbers)
    starts = np.arange(0, T, numbers.get("k1", numbers.get("k", T)))
    found = expected(declared, np.arange(T), starts, NONE)
    fits = fitting(found, np.arange(T), starts, NONE)
    assert fits is not None
    assert np.array_equal(expected(fits, np.arange(T), starts, NONE), found)
    simpler = {"k2": numbers.get("k1", 0)} == {"k2": numbers.get("k2", -1)} or 1 in numbers.values()
    if not simpler and max(numbers.values(), default=0) < T:
        assert fits == declared


def test_a_few_losses_are_enough_to_tell_the_style() -> None:
    steps = np.array([9, 19, 29, 39])
    found = expected(Declared("window", k=10), steps, np.arange(0, 40, 10), NONE)
    assert fitting(found, steps, np.arange(0, 40, 10), NONE) == Declared("window", k=10)
    found = expected(Declared("sliding", k=8), steps, np.array([0]), NONE)
    assert fitting(found, steps, np.array([0]), NONE) == Declared("sliding", k=8)


def test_a_staircase_without_a_style_has_none() -> None:
    found = np.array([0, 0, 2, 1, 4, 4])
    assert fitting(found, np.arange(6), np.array([0]), NONE) is None
