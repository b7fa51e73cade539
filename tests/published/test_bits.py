"""Lagged bits: the engine's task has the floors' probabilities, and the trainings mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from engine.config import parse
from engine.published.bits_training import Recipe, chances, held_out, train
from engine.published.lagged_bits import entropy, floor, probability, reset_floor
from engine.tasks import TASKS


def test_the_engines_task_draws_with_these_probabilities() -> None:
    config = parse({"task": "lagged_bits", "steps": 1000, "batch": 100})
    batch = TASKS["lagged_bits"](np.random.default_rng(0), config)
    x, y = batch.inputs, batch.targets[8:]
    for echoes in ((0, 0), (0, 1), (1, 0), (1, 1)):
        here = (x[5:-3] == echoes[0]) & (x[:-8] == echoes[1])
        assert y[here].mean() == pytest.approx(probability(echoes), abs=5 * 0.5 / np.sqrt(here.sum()))


def test_chances_are_those_of_the_echoes() -> None:
    bits = np.random.default_rng(0).integers(2, size=(40, 3))
    expected = [[probability((int(bits[t - 3, b]), int(bits[t - 8, b]))) for b in range(3)] for t in range(8, 40)]
    assert np.array_equal(chances(bits), expected)


def test_floors_fall_where_a_lag_comes_into_sight() -> None:
    floors = [floor(j) for j in range(12)]
    assert [j for j in range(1, 12) if floors[j] < floors[j - 1]] == [3, 8]
    assert reset_floor(1) == floor(0)
    assert entropy(0.5) == pytest.approx(np.log(2))
    assert entropy(1.0) == 0.0


def test_no_training_goes_below_what_a_reset_can_see() -> None:
    losses = held_out(train(Recipe(10, carry=False, updates=400)), batch=8000)
    assert (losses > [floor(j) - 0.004 for j in range(10)]).all()
    assert losses[3:].max() < floor(0)


def test_a_frozen_recurrence_stays_as_it_was_drawn() -> None:
    short, long = (train(Recipe(5, updates=updates, frozen=True)) for updates in (40, 80))
    for name in ("l0.W_ih", "l0.W_hh", "l0.b"):
        assert np.array_equal(short.params[name], long.params[name])
    assert not np.array_equal(short.params["W_hy"], long.params["W_hy"])


def test_the_same_recipe_gives_the_same_network() -> None:
    first, second = (train(Recipe(5, updates=40)) for _ in range(2))
    assert all(np.array_equal(first.params[name], second.params[name]) for name in first.params)


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_come_to_the_same(seed: int) -> None:
    assert held_out(train(Recipe(10, seed=seed))).mean() == pytest.approx(floor(8), abs=0.01)
    assert held_out(train(Recipe(5, seed=seed))).mean() == pytest.approx(0.463, abs=0.01)
