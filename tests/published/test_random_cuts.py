"""ARTBP by enumeration, for every length up to 12; and its second moments."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backprop import backprop
from engine.config import parse
from engine.experiment import prepare
from engine.published.artbp import all_at_once, patterns_of, second_moments
from engine.truncation import full_plan, weights
from engine.unroll import unroll


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("steps", range(2, 13))
def test_the_mean_over_all_patterns_is_the_full_gradient(steps: int, cell: str) -> None:
    rng = np.random.default_rng(steps)
    x = prepare(parse({"cell": cell, "hidden": 3, "batch": 1, "steps": steps, "task": "copy", "lag": 1, "seed": steps}))
    tape = unroll(x.network, x.params, x.data, np.zeros(steps, bool))
    mean = backprop(x.network, x.params, tape, all_at_once(rng.uniform(0, 0.9, steps))).blocks
    full = backprop(x.network, x.params, tape, full_plan(steps)).blocks
    for name, block in full.items():
        assert np.linalg.norm(mean[name] - block) <= 1e-12 * np.linalg.norm(block), name


def test_probabilities_add_up_and_each_pattern_is_there_once() -> None:
    edge, chance = patterns_of(np.full(12, 0.3))
    assert edge.shape == (12, 2**11)
    assert chance.sum() == pytest.approx(1, rel=1e-14)
    assert len({tuple(column > 0) for column in edge.T}) == 2**11
    assert set(np.unique(edge)) == {0.0, 1.0, 1 / 0.7}


@pytest.mark.parametrize("c", [0.1, 0.3, 0.5])
def test_second_moments(c: float) -> None:
    np.testing.assert_allclose(second_moments(np.full(10, c)), (1 - c) ** -np.arange(10.0), rtol=1e-12)


def test_without_the_division_the_mean_is_biased() -> None:
    """The check can fail: cuts without reweighting lose (1 - c)^lag of each term."""
    plan = all_at_once(np.full(6, 0.3))
    plan.edge[plan.edge > 0] = 1.0
    np.testing.assert_allclose(weights(plan)[-1, ::-1], 0.7 ** np.arange(6.0), rtol=1e-12)
