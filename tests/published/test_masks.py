"""The mask identity, and the tapers, for more plans than the page shows."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backprop import backprop
from engine.config import parse
from engine.experiment import prepare
from engine.published import mask_identity
from engine.published.mask_identity import K, T, credits, masked, phase_plan
from engine.truncation import plan_of, reach, taper, weights
from engine.unroll import unroll

PLANS = [{"style": "full"},
         *({"style": style, "k": k} for style in ("window", "sliding") for k in (1, 2, 5, 7, 24, 99)),
         *({"style": "k1k2", "k1": k1, "k2": k2} for k1, k2 in ((1, 4), (2, 7), (5, 5), (5, 12), (30, 40)))]


@pytest.mark.parametrize("task", ["copy", "adding"])
@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_a_masked_sum_is_the_sweep(plan: dict[str, object], task: str) -> None:
    config = parse({"cell": "lstm", "layers": 2, "hidden": 3, "batch": 2, "steps": T, "task": task, "lag": 2, **plan})
    x = prepare(config)
    tape = unroll(x.network, x.params, x.data, np.zeros(T, bool))
    swept = backprop(x.network, x.params, tape, plan_of(config)).blocks
    summed = masked(credits(x, tape), weights(plan_of(config)))
    for name, block in swept.items():
        assert np.abs(summed[name] - block).max() <= 1e-12 * np.abs(block).max(), name


@pytest.mark.parametrize(("k1", "k2"), [(1, 6), (2, 6), (3, 7), (6, 6), (4, 12)])
def test_tapers_are_exact_over_whole_periods(k1: int, k2: int) -> None:
    plan = plan_of(parse({"style": "k1k2", "k1": k1, "k2": k2, "steps": T, "task": "adding"}))
    w = weights(plan)
    for lag in range(T - k1):
        assert np.mean([w[s, s - lag] for s in range(T - k1, T)]) == np.clip((k2 - lag) / k1, 0, 1)


def test_the_plan_states_its_own_taper() -> None:
    """`taper` counts from the reaches; the weights say the same of every lag."""
    plan = plan_of(parse({"style": "k1k2", "k1": 3, "k2": 7, "steps": T, "task": "adding"}))
    w = weights(plan)
    means = [np.mean([w[s, s - lag] for s in range(lag, T)]) for lag in range(T)]
    np.testing.assert_allclose(taper(reach(plan)), means, rtol=1e-15)


def test_phases_together_are_the_triangle() -> None:
    mean = np.mean([weights(phase_plan(phase)) for phase in range(K)], axis=0)
    lags = np.subtract.outer(np.arange(T), np.arange(T))
    np.testing.assert_allclose(mean, np.where(lags >= 0, np.maximum(0, (K - lags) / K), 0), rtol=1e-15)


def test_a_wrong_mask_is_noticed() -> None:
    """The comparison that the page shows must be able to fail."""
    x = prepare(mask_identity._config({"cell": "rnn"}, {"style": "full"}))
    tape = unroll(x.network, x.params, x.data, np.zeros(T, bool))
    plan = plan_of(mask_identity._config({"cell": "rnn"}, {"style": "window", "k": K}))
    w = weights(plan)
    w[K, K - 1] = 1.0
    found = mask_identity._distance(masked(credits(x, tape), w), backprop(x.network, x.params, tape, plan).blocks)
    assert found > 1e-6
