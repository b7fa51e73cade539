"""Trains a plain RNN on lagged bits cut into windows, laid out as people's data loaders lay them out.

The same bits, the same initial weights and as many updates each time; only the order of the windows differs, and
what a window starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from engine.arrays import Array, Params, frozen
from engine.backprop import backprop
from engine.cells import CELLS
from engine.config import Config
from engine.initial import draw
from engine.network import Network
from engine.optim import adam, adam_start
from engine.published.bits_training import chances
from engine.published.lagged_bits import LAGS
from engine.truncation import full_plan
from engine.unroll import Data, Tape, unroll

Layout = Literal["streams", "loader", "shuffled"]
K, BATCH, HIDDEN, UPDATES, RATE, POINTS = 5, 50, 16, 600, 1e-2, 20
NETWORK = Network(CELLS["rnn", True], 1, inputs=2, hidden=HIDDEN, outputs=2, embedding=0, classify=True)


@dataclass(frozen=True)
class Course:
    """One training: how the windows are laid out, and whether the state is handed on as a value."""

    layout: Layout = "streams"
    carry: bool = True
    scale: float = 1.0  # of the loss: 1 for its mean over the window's steps, K for their sum
    clip: float = float("inf")
    sgd: float = 0.0  # the rate of plain SGD; 0 trains with Adam


@dataclass(frozen=True)
class Trained:
    """What a training came to."""

    params: Params
    state: Array  # (H, B) after the last window
    losses: Array  # (UPDATES,) mean over each window, before its update
    norms: Array  # (UPDATES,) of the gradient, before clipping

    @property
    def late(self) -> float:
        """The mean loss over the last quarter of the training: each window is new, so this is no training error."""
        return float(self.losses[-UPDATES // 4 :].mean())


def indices(layout: Layout, count: int, k: int, batch: int) -> Array:
    """Returns (batches, k, batch): the places in a series of count * k * batch values that each batch reads.

    `streams`: the series is cut into `batch` long pieces, a row each. `loader`: consecutive windows side by side, as
    a data loader without shuffling gives them. `shuffled`: the same windows in a random order."""
    if layout == "streams":
        return np.arange(count * k * batch).reshape(batch, count, k).transpose(1, 2, 0)
    starts = k * np.arange(count * batch)
    if layout == "shuffled":
        starts = np.random.default_rng(1).permutation(starts)
    return starts.reshape(count, 1, batch) + np.arange(k)[None, :, None]


def bits(count: int, seed: int) -> tuple[Array, Array]:
    """Returns a series of bits (count,), and targets drawn with their probabilities."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(2, size=count + max(LAGS))
    return drawn[max(LAGS) :], (rng.random(count) < chances(drawn)).astype(np.int64)


@lru_cache(maxsize=8)
def train(course: Course) -> Trained:
    """Returns the outcome; the same for the same course, and kept, as exhibits share trainings. It is read-only."""
    read, targets = bits(UPDATES * K * BATCH, seed=0)
    params = draw(NETWORK, Config(hidden=HIDDEN), np.random.default_rng(2))
    memory, plan, initial = adam_start(params), full_plan(K), np.zeros((HIDDEN, BATCH))
    state, losses, norms = initial, np.empty(UPDATES), np.empty(UPDATES)
    for i, places in enumerate(indices(course.layout, UPDATES, K, BATCH)):
        tape = forward(params, read[places], targets[places], state if course.carry else initial)
        blocks = backprop(NETWORK, params, tape, plan).blocks
        gradient = {name: course.scale * block / K for name, block in blocks.items()}
        norms[i] = np.sqrt(sum(float(np.square(block).sum()) for block in gradient.values()))
        factor = min(1.0, course.clip / norms[i])
        if course.sgd:
            params = {name: params[name] - course.sgd * factor * block for name, block in gradient.items()}
        else:
            params, memory = adam(params, gradient, memory, RATE * (1 - i / UPDATES))
        state, losses[i] = tape.layers[0].states[-1], tape.losses.mean()
    frozen({"state": state, "losses": losses, "norms": norms})
    return Trained(frozen(params), state, losses, norms)


def forward(params: Params, read: Array, targets: Array, state: Array) -> Tape:
    """Returns the tape of one batch of windows: bits and targets (k, B), and the state (H, B) that it starts from."""
    xs = np.stack([1.0 - read, read], axis=1).astype(float)
    counts = np.ones(len(read), bool)
    return unroll(NETWORK, params, Data(xs, targets, counts, (state,)), ~counts)


def curve(losses: Array) -> tuple[Array, Array]:
    """Returns POINTS places, in updates, and the mean of what was measured since the last one."""
    ends = np.linspace(0, len(losses), POINTS + 1)[1:]
    return ends, losses.reshape(POINTS, -1).mean(axis=1)


def summed(course: Course) -> Course:
    """Returns the course with the loss summed over a window's steps where it had their mean."""
    return replace(course, scale=course.scale * K)
