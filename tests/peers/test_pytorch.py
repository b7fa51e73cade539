"""PyTorch beside the engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.weights import REDUCTIONS, reduction_factor
from tests.peers import pytorch
from tests.peers.checks import TOLERANCE, PeerTests


class TestPyTorch(PeerTests):
    peer = pytorch


T, B, O = 5, 3, 4  # noqa: E741
BY_TIME_AND_BATCH = {
    "sum_time_mean_batch": lambda each: each.sum(0).mean(),
    "mean_time_sum_batch": lambda each: each.mean(0).sum(),
    "mean": lambda each: each.mean(),
    "sum": lambda each: each.sum(),
}


def ours(each: torch.Tensor) -> float:
    return float(each.sum(0).mean())


def test_every_reduction_has_its_factor() -> None:
    each = torch.tensor(np.random.default_rng(0).normal(size=(T, B)) ** 2)
    assert set(BY_TIME_AND_BATCH) == set(REDUCTIONS)
    for name, reduce in BY_TIME_AND_BATCH.items():
        assert abs(float(reduce(each)) / (ours(each) * reduction_factor(name, T, B)) - 1) < TOLERANCE


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_its_losses_reduce_as_named(reduction: str) -> None:
    rng = np.random.default_rng(1)
    y, classes = torch.tensor(rng.normal(size=(T, B, O))), torch.tensor(rng.integers(O, size=(T, B)))
    factor = reduction_factor(reduction, T, B)
    each = functional.cross_entropy(y.reshape(-1, O), classes.reshape(-1), reduction="none").reshape(T, B)
    theirs = functional.cross_entropy(y.reshape(-1, O), classes.reshape(-1), reduction=reduction)
    assert abs(float(theirs) / (ours(each) * factor) - 1) < TOLERANCE
    target = torch.tensor(rng.normal(size=(T, B, O)))
    squared = 0.5 * (y - target).square().sum(2)
    over_outputs = 2 / O if reduction == "mean" else 2
    theirs = functional.mse_loss(y, target, reduction=reduction)
    assert abs(float(theirs) / (ours(squared) * factor * over_outputs) - 1) < TOLERANCE
