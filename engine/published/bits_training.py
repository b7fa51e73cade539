"""Trains a plain RNN on an endless stream of lagged bits, window by window, and measures what it has learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Params
from engine.backprop import backprop
from engine.cells import CELLS
from engine.config import Config
from engine.initial import draw
from engine.network import Network
from engine.optim import adam, adam_start
from engine.published.lagged_bits import BASE, LAGS, SHARES
from engine.truncation import full_plan
from engine.unroll import Data, Tape, unroll

RATE = 1e-2  # falls to 0 over the training, linearly
POINTS = 40  # of a training curve
FRESH = 1  # seeds the bits that a trained network is measured on; training starts from other seeds


@dataclass(frozen=True)
class Recipe:
    """One training: windows of k steps, each an update of Adam."""

    k: int
    hidden: int = 16
    carry: bool = True  # the state is handed on, as a value; the gradient stops at each window's edge
    updates: int = 2000
    frozen: bool = False  # only the readout is trained: the recurrence stays as it was drawn
    gain: float = 1.0
    batch: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """What a training came to."""

    recipe: Recipe
    network: Network
    params: Params
    curve: Array  # (2, POINTS): updates, and the mean training loss since the last point


def train(recipe: Recipe) -> Trained:
    """Returns the trained network; the same for the same recipe."""
    rng = np.random.default_rng(recipe.seed)
    network = Network(CELLS["rnn", True], 1, inputs=2, hidden=recipe.hidden, outputs=2, embedding=0, classify=True)
    params = draw(network, Config(hidden=recipe.hidden, gain=recipe.gain), rng)
    plan, memory, losses = full_plan(recipe.k), adam_start(params), np.empty(recipe.updates)
    initial = np.zeros((recipe.hidden, recipe.batch))
    state = initial
    for i, (bits, targets) in zip(range(recipe.updates), _stream(rng, recipe), strict=False):
        tape = _run(network, params, bits, targets, state, plan.reset)
        gradient = _readout_gradient(tape) if recipe.frozen else backprop(network, params, tape, plan).blocks
        mean = {name: block / recipe.k for name, block in gradient.items()}
        params, memory = adam(params, mean, memory, RATE * (1 - i / recipe.updates))
        state = tape.layers[0].states[-1] if recipe.carry else initial
        losses[i] = tape.losses.mean()
    ends = np.linspace(0, recipe.updates, POINTS + 1)[1:]
    return Trained(recipe, network, params, np.stack([ends, losses.reshape(POINTS, -1).mean(axis=1)]))


def _stream(rng: np.random.Generator, recipe: Recipe) -> Iterator[tuple[Array, Array]]:
    """Yields windows of one endless run: bits (k, B), and targets (k, B) drawn with their probabilities."""
    bits = rng.integers(2, size=(max(LAGS), recipe.batch))
    while True:
        bits = np.concatenate([bits[-max(LAGS) :], rng.integers(2, size=(recipe.k, recipe.batch))])
        yield bits[max(LAGS) :], (rng.random((recipe.k, recipe.batch)) < chances(bits)).astype(np.int64)


def chances(bits: Array) -> Array:
    """Returns p(y = 1) (T - 8, B) for all but the first 8 of the bits (T, B)."""
    T = len(bits) - max(LAGS)
    echoes = [bits[max(LAGS) - lag : max(LAGS) - lag + T] for lag in LAGS]
    return np.asarray(BASE + sum(share * echo for share, echo in zip(SHARES, echoes, strict=True)))


def _run(network: Network, params: Params, bits: Array, targets: Array, state: Array,
         reset: NDArray[np.bool_]) -> Tape:
    xs = np.stack([1.0 - bits, bits], axis=1).astype(float)
    return unroll(network, params, Data(xs, targets, np.ones(len(bits), bool), (state,)), reset)


def _readout_gradient(tape: Tape) -> Params:
    """Returns the gradient of the readout alone: nothing goes back in time."""
    h, B = tape.layers[0].states, tape.losses.shape[1]
    return {"W_hy": np.einsum("ton,thn->oh", tape.dy, h) / B, "b_y": tape.dy.sum(axis=(0, 2)) / B}


def held_out(trained: Trained, steps: int = 120, batch: int = 1000) -> Array:
    """Returns (k,): the expected loss on fresh bits by position in the window, state handled as in training.

    The expectation over the targets is exact; that over the bits is a mean over `batch` runs, of which the
    first 20 steps are left out where the state is carried."""
    k, carry = trained.recipe.k, trained.recipe.carry
    bits = np.random.default_rng(FRESH).integers(2, size=(steps + max(LAGS), batch))
    reset = (np.arange(steps) % k == 0) & (np.arange(steps) > 0) & (not carry)
    p, shown = chances(bits), bits[max(LAGS) :]
    state = np.zeros((trained.recipe.hidden, batch))
    zero = _run(trained.network, trained.params, shown, np.zeros_like(shown), state, reset).losses
    one = -np.log(-np.expm1(-zero))  # the two probabilities add up to 1
    by_window = (p * one + (1 - p) * zero).mean(axis=1).reshape(-1, k)
    return np.asarray(by_window[-(-20 // k) if carry else 0 :].mean(axis=0))
