"""The losses: against plain formulas, far from overflow, and holomorphic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.cells import CELLS
from engine.network import Network, losses, losses_and_gradients

CLASSES = Network(CELLS["rnn", True], 1, 3, 2, 5, 0, True)


def test_cross_entropy_is_minus_the_log_of_the_targets_probability() -> None:
    rng = np.random.default_rng(0)
    ys, targets = rng.normal(size=(4, 5, 3)), rng.integers(5, size=(4, 3))
    p = np.exp(ys) / np.exp(ys).sum(axis=1, keepdims=True)
    found, dy = losses_and_gradients(CLASSES, ys.copy(), targets)
    picked = np.take_along_axis(p, targets[:, None], 1)[:, 0]
    assert np.allclose(found, -np.log(picked), rtol=1e-13)
    assert np.allclose(found, losses(CLASSES, ys, targets), rtol=1e-15)
    assert np.allclose(dy, p - np.eye(5)[targets].swapaxes(1, 2), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("top", [40.0, 300.0, 700.0])
def test_an_almost_sure_classifier_keeps_its_digits(top: float) -> None:
    ys = np.array([top, 0.0, 0.0, 0.0, 0.0]).reshape(1, 5, 1)
    found, dy = losses_and_gradients(CLASSES, ys, np.zeros((1, 1), int))
    assert found[0, 0] == pytest.approx(4 * np.exp(-top), rel=1e-13)
    assert dy[0, 0, 0] == pytest.approx(-4 * np.exp(-top), rel=1e-13)


def test_huge_outputs_do_not_overflow() -> None:
    ys = np.array([1e300, 0.0, -1e300, 0.0, 0.0]).reshape(1, 5, 1)
    for target, expected in ((0, 0.0), (1, 1e300), (2, 2e300)):
        found, dy = losses_and_gradients(CLASSES, ys.copy(), np.full((1, 1), target))
        assert found[0, 0] == expected
        assert np.isfinite(dy).all()


@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 7, 84, 129])
def test_any_number_of_outputs(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    ys, targets = 5 * rng.normal(size=(3, outputs, 2)), rng.integers(outputs, size=(3, 2))
    found, dy = losses_and_gradients(replace(CLASSES, outputs=outputs), ys.copy(), targets)
    p = np.exp(ys - ys.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    assert np.allclose(found, -np.log(np.take_along_axis(p, targets[:, None], 1)[:, 0]), rtol=1e-13, atol=1e-15)
    assert np.allclose(dy, p - np.eye(outputs)[targets].swapaxes(1, 2), rtol=1e-12, atol=1e-15)


def test_the_loss_is_holomorphic() -> None:
    rng = np.random.default_rng(1)
    ys, v, targets = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 3)), rng.integers(5, size=(2, 3))
    dy = losses_and_gradients(CLASSES, ys.copy(), targets)[1]
    found = losses(CLASSES, ys + 1e-100j * v, targets).imag / 1e-100
    assert np.allclose(found, (dy * v).sum(axis=1), rtol=1e-13, atol=1e-15)
