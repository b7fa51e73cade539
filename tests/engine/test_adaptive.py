"""Adaptive truncation's estimate: exact where the decay is geometric, and never below the truth."""

from __future__ import annotations

import numpy as np
import pytest

from engine import parse
from engine.adaptive import TOLERANCE, adaptive_of
from engine.arrays import quiet_single_thread
from engine.bias import bias_curve
from engine.reference import reference
from tests.engine.setups import CELL_OPTIONS

T = 60


def aligned(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns |g_K| and the true relative bias, for parts that all point in one direction."""
    reached = profile.cumsum()
    return reached, (reached[-1] - reached) / reached[-1]


@pytest.mark.parametrize("beta", [0.3, 0.6, 0.8, 0.9])
@pytest.mark.parametrize("factor", [1.0, 1e-100, 7.0])
def test_a_geometric_decay_is_recovered(beta: float, factor: float) -> None:
    """E(K) = beta^K / (1 - beta) and |g_k| - E(k) = (1 - 2 beta^k) / (1 - beta)."""
    profile = beta ** np.arange(T)
    reached, truth = aligned(factor * profile)
    found = adaptive_of(profile, factor * profile, reached)
    assert found.beta == pytest.approx(beta, rel=1e-12)
    left = beta ** np.arange(1, T + 1)
    closed = np.where(left < 0.5, left / np.maximum(1 - 2 * left, 1e-300), np.inf)
    assert np.allclose(found.bound, closed, rtol=1e-9)
    assert (found.bound >= truth - 1e-15).all()
    assert found.chosen == 1 + int(np.flatnonzero(closed <= TOLERANCE)[0])


SLOWING = 0.5 ** np.arange(T) + 0.01 * 0.95 ** np.arange(T)
RISING = np.where(np.arange(T) == 40, 1e-3, 0.6 ** np.arange(T))


@pytest.mark.parametrize("profile", [SLOWING, RISING], ids=["slowing down", "a late rise"])
def test_where_the_decay_is_not_geometric_the_bound_still_holds(profile: np.ndarray) -> None:
    reached, truth = aligned(profile)
    found = adaptive_of(profile, profile, reached)
    assert (found.bound >= truth).all()
    if found.chosen > 0:
        assert truth[found.chosen - 1] <= TOLERANCE


def test_the_papers_line_through_phi_tau_would_not_hold() -> None:
    """That is why the line is raised: through phi_tau it lies below what a late rise brings."""
    reached, _ = aligned(RISING)
    tau, beta = T // 10, adaptive_of(RISING, RISING, reached).beta
    K = np.arange(tau, T)
    papers = RISING[tau] * beta ** (K - tau) / (1 - beta)
    left = reached[-1] - reached[K - 1]
    assert (papers < left)[20 - tau : 40 - tau].any()


@pytest.mark.parametrize("options", [{}, {"loss_at": "last"}, {"task": "adding"}, {"layers": 2},
                                     {"task": "series", "embedding": 0}], ids=str)
@pytest.mark.parametrize("gain", [0.3, 1.0, 1.5])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_the_bound_is_never_below_the_truth(cell: str, gain: float, options: dict[str, object]) -> None:
    kept = reference(parse(CELL_OPTIONS[cell] | {"hidden": 6, "batch": 2, "steps": 40, "gain": gain} | options))
    with quiet_single_thread():
        found = bias_curve(kept)
    rounding = 1e-14  # below it the true error is not known
    assert (found.adaptive.bound >= found.sliding - rounding).all()
    if found.adaptive.chosen > 0:
        assert found.sliding[found.adaptive.chosen - 1] <= TOLERANCE


def test_some_bound_says_something() -> None:
    """A bound of infinity everywhere would hold too."""
    found = bias_curve(reference(parse({"cell": "gru"})))
    assert 0 < found.adaptive.chosen <= 3 * found.smallest_k["0.1"]
    assert found.adaptive.bound[-1] < 1e-6


def test_a_gradient_that_grows_has_no_bound() -> None:
    profile = 1.1 ** np.arange(T)
    found = adaptive_of(profile, profile, aligned(profile)[0])
    assert found.beta == pytest.approx(1.1)
    assert np.isposinf(found.bound).all()
    assert found.chosen == -1


@pytest.mark.parametrize("profile", [np.ones(2), np.zeros(T), np.full(T, np.nan)], ids=["two", "zero", "nan"])
def test_nothing_to_estimate_from(profile: np.ndarray) -> None:
    found = adaptive_of(profile, profile, profile)
    assert np.isnan(found.beta)
    assert np.isnan(found.bound).all()
    assert found.chosen == -1


def test_lags_without_a_loss_are_left_out() -> None:
    profile = 0.7 ** np.arange(T)
    reached, _ = aligned(profile)
    late = np.where(np.arange(T) < 40, profile, np.nan)
    found = adaptive_of(late, np.where(np.arange(T) < 40, profile, 0.0), reached)
    assert found.beta == pytest.approx(0.7, rel=1e-12)
    assert np.isfinite(found.bound[10:]).all()
