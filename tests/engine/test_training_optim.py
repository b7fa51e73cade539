"""The optimisers in place beside their papers' lines, and clipping."""

from __future__ import annotations

import numpy as np
import pytest

from engine.optim import CHUNK, FADED, FLUSH, MEMORIES, Optimiser, adam, adam_start, clip, fallen, flat_norm

SIZE = CHUNK + 5  # so that an update goes over a chunk's end


def test_adam_in_place_is_adam() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=SIZE)
    params, state, ours = {"w": flat.copy()}, adam_start({"w": flat}), Optimiser("adam", SIZE, np.float64)
    for _ in range(20):
        grads = rng.normal(size=SIZE)
        params, state = adam(params, {"w": grads}, state, lr=0.01)
        ours.update(flat, grads, 0.01)
    np.testing.assert_allclose(flat, params["w"], rtol=1e-10)


def test_adagrad_and_gradient_descent() -> None:
    grads = np.linspace(-2, 2, SIZE)
    flat, total = np.ones(SIZE), np.zeros(SIZE)
    ours, wanted = Optimiser("adagrad", SIZE, np.float64), np.ones(SIZE)
    for scale in (1.0, 0.5, 3.0):
        ours.update(flat, scale * grads, 0.1)
        total += np.square(scale * grads)
        wanted -= 0.1 * scale * grads / (np.sqrt(total) + 1e-10)
    np.testing.assert_allclose(flat, wanted, rtol=1e-12)
    Optimiser("sgd", SIZE, np.float64).update(flat, grads, 0.1)
    np.testing.assert_allclose(flat, wanted - 0.1 * grads, rtol=1e-12, atol=1e-15)
    assert set(MEMORIES) == {"adam", "adagrad", "sgd"}


def test_a_mean_that_has_faded_becomes_zero_before_it_is_subnormal() -> None:
    ours, flat, grads = Optimiser("adam", 2, np.float32), np.zeros(2, np.float32), np.ones(2, np.float32)
    ours.update(flat, grads, 0.0)
    for _ in range(8 * FLUSH):
        ours.update(flat, np.array([1.0, 0.0], np.float32), 0.0)
    m = ours.memories[0]
    assert m[0] > 1
    assert m[1] == 0
    assert np.finfo(np.float32).tiny < FADED


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1e25])
def test_the_norm_is_right_where_squares_leave_single_precision(size: float) -> None:
    with np.errstate(over="ignore"):
        assert flat_norm(np.full(4, size, np.float32)) == pytest.approx(2 * size, rel=1e-6)


def test_clipping() -> None:
    grads = np.array([3.0, 4.0])
    assert clip(grads, "norm", 10.0, 5.0) == 0
    assert grads.tolist() == [3, 4]
    assert clip(grads, "norm", 1.0, 5.0) == 1
    np.testing.assert_allclose(grads, [0.6, 0.8], rtol=1e-6)
    assert clip(grads, "element", 0.7, 1.0) == 0.5
    assert grads.max() == 0.7
    assert clip(grads, "off", 0.1, 1.0) == 0
    assert grads.max() == 0.7


def test_the_rate_falls_with_whole_passes() -> None:
    assert [fallen(1.0, 0.5, passes) for passes in range(3)] == [1, 1 / 1.5, 0.5]
