"""Tasks whose dependencies have a known lag: copy, adding, lagged bits."""

from __future__ import annotations

import numpy as np

from engine.config import Config
from engine.tasks.base import Batch

SYMBOLS = tuple("abcdefgh")


def copy(rng: np.random.Generator, config: Config) -> Batch:
    """Recall the symbol that was read `lag` steps ago; no loss before there is one."""
    T, B, lag = config.steps, config.batch, config.lag
    inputs = rng.integers(len(SYMBOLS), size=(T, B))
    targets = np.zeros((T, B), np.int64)
    targets[lag:] = inputs[: T - lag]
    return Batch(inputs, targets, np.arange(T) >= lag, SYMBOLS, SYMBOLS,
                 f"random symbols; the target is the symbol read {lag} steps before")


def adding(rng: np.random.Generator, config: Config) -> Batch:
    """Sum two marked numbers, one in each half, read out at the last step (Hochreiter & Schmidhuber 1997,
    in the form of Le et al. 2015). Input: a number in [0, 1) and a marker."""
    T, B = config.steps, config.batch
    inputs = np.zeros((T, B, 2))
    inputs[..., 0] = rng.random((T, B))
    first, second = rng.integers(0, T // 2, B), rng.integers(T // 2, T, B)
    rows = np.arange(B)
    inputs[first, rows, 1] = inputs[second, rows, 1] = 1.0
    targets = np.zeros((T, B, 1))
    targets[-1, :, 0] = inputs[first, rows, 0] + inputs[second, rows, 0]
    return Batch(inputs, targets, np.arange(T) == T - 1, (), (), "random numbers, of which two are marked")


def lagged_bits(rng: np.random.Generator, config: Config) -> Batch:
    """x is a fair coin; p(y = 1) = 0.5 + 0.5 x[t-3] - 0.25 x[t-8], with x = 0 before the start (Pitis 2016)."""
    T, B = config.steps, config.batch
    x = rng.integers(2, size=(T + 8, B))
    x[:8] = 0
    p = 0.5 + 0.5 * x[5 : T + 5] - 0.25 * x[:T]
    y = (rng.random((T, B)) < p).astype(np.int64)
    return Batch(x[8:], y, np.ones(T, bool), ("0", "1"), ("0", "1"), "coin flips with echoes after 3 and 8 steps")
