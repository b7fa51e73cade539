"""Every published result agrees with what the engine computes, and says so in full."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.published import RESULTS, reproduce
from engine.published.result import check, published, series

TRAINED = ("trained_bits", "below_the_lag")


@pytest.mark.parametrize("name", RESULTS)
def test_it_agrees_and_its_picture_can_be_drawn(name: str) -> None:
    """In one test, since a training takes some seconds."""
    result = reproduce(name)
    assert [check for check in result.checks if not check.agrees] == []
    assert result.agrees
    assert result.about == RESULTS[name]
    for line in result.picture.series:
        assert line.x.shape == line.y.shape
        assert len(line.x) > 1
        assert np.isfinite(line.y).all()
        assert not result.picture.log or (line.y > 0).all()


@pytest.mark.parametrize("name", RESULTS)
def test_it_names_its_source(name: str) -> None:
    about = RESULTS[name]
    assert about.name == name
    assert about.title
    assert about.claim
    assert about.source.author
    assert about.source.title
    assert about.source.link.startswith("https://")
    assert 1985 < about.source.year < 2030


@pytest.mark.parametrize("name", [name for name in RESULTS if name not in TRAINED])
def test_it_is_the_same_each_time(name: str) -> None:
    first, second = reproduce(name), reproduce(name)
    assert first.checks == second.checks
    assert first.sentence == second.sentence


def test_a_number_that_is_off_does_not_agree() -> None:
    assert check("x", 1.0, 1.0 + 1e-9, 1e-8).agrees
    assert not check("x", 1.0, 1.0 + 2e-8, 1e-8).agrees
    assert not check("x", 1.0, float("nan"), 1e9).agrees


def test_one_wrong_number_is_enough_to_disagree() -> None:
    right = reproduce("lagged_bits")
    wrong = [*right.checks, check("x", 0, 1)]
    assert not published(right.about, "", wrong, "", right.picture).agrees
    assert not published(right.about, "", [], "", right.picture).agrees


def test_a_result_is_frozen() -> None:
    right = reproduce("lagged_bits")
    assert replace(right, agrees=False).agrees is False
    with pytest.raises(AttributeError):
        right.agrees = False  # type: ignore[misc]


def test_series_are_floats() -> None:
    assert series("x", [1, 2], [3, 4], "ink").y.dtype == np.float64
