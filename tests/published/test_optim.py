"""Adam, by its paper's lines, and as a pure function."""

from __future__ import annotations

import numpy as np
import pytest

from engine.optim import adam, adam_start


def test_the_first_update_moves_every_entry_by_the_rate() -> None:
    """Both means are unbiased at once, so that the step is lr * g / |g| (Kingma & Ba 2015, section 2.1)."""
    params = {"W": np.zeros((2, 2))}
    moved, state = adam(params, {"W": np.array([[1.0, -2.0], [1e-3, 50.0]])}, adam_start(params), lr=0.1, epsilon=0.0)
    np.testing.assert_allclose(moved["W"], [[-0.1, 0.1], [-0.1, -0.1]], rtol=1e-12)
    assert state.updates == 1


def test_it_follows_the_papers_algorithm() -> None:
    rng = np.random.default_rng(0)
    params, theta = {"b": np.ones(3)}, np.ones(3)
    state, m, v = adam_start(params), np.zeros(3), np.zeros(3)
    for t in range(1, 20):
        g = rng.normal(size=3)
        params, state = adam(params, {"b": g}, state, lr=0.01)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(params["b"], theta, rtol=1e-12)


def test_nothing_is_changed_in_place_and_other_blocks_stay() -> None:
    params = {"a": np.ones(2), "b": np.ones(2)}
    start = adam_start(params)
    moved, state = adam(params, {"a": np.ones(2)}, start, lr=0.1)
    assert (params["a"] == 1).all()
    assert (start.mean["a"] == 0).all()
    assert moved["b"] is params["b"]
    assert (state.mean["b"] == 0).all()


def test_it_finds_a_minimum() -> None:
    params = {"x": np.array([3.0, -2.0])}
    state = adam_start(params)
    for _ in range(2000):
        params, state = adam(params, {"x": 2 * (params["x"] - 1.0)}, state, lr=0.01)
    assert params["x"] == pytest.approx(np.ones(2), abs=1e-3)
