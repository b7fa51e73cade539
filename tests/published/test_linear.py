"""The linear recurrence as a cell, and what is derived with it, by independent arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engine.backprop import backprop
from engine.certify import certificate
from engine.credit import credit
from engine.published import influence_balancing
from engine.published.linear import run, system
from engine.published.state_grad import X0, W, copied_loop, true_derivative
from engine.truncation import full_plan
from engine.unroll import Data


def exact_sensitivities(most: int) -> list[Fraction]:
    """Returns the first component of v + A v + ... + A^(k-1) v for k = 1 ... most, in rational arithmetic."""
    term = [Fraction(int(sign)) for sign in influence_balancing.SIGNS]
    total, out = Fraction(0), []
    for _ in range(most):
        total += term[0]
        out.append(total)
        term = [(a + b) / 2 for a, b in zip(term, [*term[1:], Fraction(0)], strict=True)]
    return out


def test_influence_balancing_in_rational_numbers() -> None:
    exact = exact_sensitivities(120)
    np.testing.assert_allclose(influence_balancing.sensitivities()[:120], [float(s) for s in exact], rtol=1e-13)
    assert next(k for k, s in enumerate(exact, 1) if s < 0) == 41
    assert next(k for k in range(1, 121) if sum(exact[:k]) < 0) == 110


def test_the_sign_stays_right_once_it_is() -> None:
    found = influence_balancing.sensitivities()
    assert (found[:40] > 0).all()
    assert (found[40:] < 0).all()
    means = np.cumsum(found) / np.arange(1, len(found) + 1)
    assert (means[:109] > 0).all()
    assert (means[109:] < 0).all()


@pytest.mark.parametrize(("k", "every"), [(1, False), (19, False), (40, False), (41, False), (5, True), (110, True)])
def test_windows_swept_by_themselves(k: int, every: bool) -> None:
    exact = exact_sensitivities(k)
    expected = sum(exact) / k if every else exact[-1]
    assert influence_balancing.of_window(k, every) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("n", range(1, 9))
def test_a_power_and_its_derivative(n: int) -> None:
    assert true_derivative(n) == pytest.approx(n * W ** (n - 1) * X0, rel=1e-14)
    assert copied_loop(n, clear=True) == pytest.approx(n * W ** (n - 1) * X0, rel=1e-14)


@pytest.mark.parametrize(("k", "expected"), [(1, 0.036), (2, 0.072), (3, 0.108)])
def test_truncated_to_k_steps(k: int, expected: float) -> None:
    assert true_derivative(3, k) == pytest.approx(expected, rel=1e-14)


def test_the_copied_loop_is_right_until_the_third_step() -> None:
    found = [copied_loop(n, clear=False) for n in (1, 2, 3)]
    assert found == pytest.approx([0.9, 0.36, 0.288], rel=1e-14)


def test_the_linear_cell_is_certified() -> None:
    """By the complex step, as every other cell; and its credit is that of the powers of A."""
    rng = np.random.default_rng(0)
    A, b, T = rng.normal(size=(3, 3)), rng.normal(size=3), 9
    network, params = system(A, b)
    counts = np.arange(T) >= 4
    start = rng.normal(size=3)
    tape = run(network, params, start, 0.3, counts)
    data = Data(np.zeros((T, 1, 1)), np.full((T, 1, 1), 0.3), counts, (start[:, None],))
    plan = full_plan(T)
    gradients = backprop(network, params, tape, plan)
    assert certificate(network, params, data, tape, plan, gradients, rng).status == "passed"
    norms, _ = credit(network, params, tape, np.zeros(T, bool), np.array([T - 1]))
    rows = [tape.dy[-1, 0, 0] * np.linalg.matrix_power(A, T - 1 - t)[0] for t in range(T)]
    np.testing.assert_allclose(norms[0], np.linalg.norm(rows, axis=1), rtol=1e-12)
