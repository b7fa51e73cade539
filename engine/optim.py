"""Optimisers: Adam as a pure function; and, in place on flat arrays, what training uses. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import DTypeLike

from engine.arrays import Array, Params


@dataclass(frozen=True)
class AdamState:
    """What Adam remembers: how many updates there were, and the running means of gradients and squares."""

    updates: int
    mean: Params
    square: Params


def adam_start(params: Params) -> AdamState:
    """Returns the state before the first update: zeros."""
    zeros = {name: np.zeros_like(block) for name, block in params.items()}
    return AdamState(0, zeros, zeros)


def adam(params: Params, grads: Params, state: AdamState, lr: float,
         beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> tuple[Params, AdamState]:
    """Returns the parameters after one update of Adam (Kingma & Ba 2015, Algorithm 1), and its new state.

    Blocks without a gradient stay as they are. Nothing is changed in place."""
    n = state.updates + 1
    mean = {name: beta1 * state.mean[name] + (1 - beta1) * grad for name, grad in grads.items()}
    square = {name: beta2 * state.square[name] + (1 - beta2) * np.square(grad) for name, grad in grads.items()}
    size, unbiased = lr / (1 - beta1**n), 1 - beta2**n
    moved = {name: params[name] - size * mean[name] / (np.sqrt(square[name] / unbiased) + epsilon) for name in grads}
    return params | moved, AdamState(n, state.mean | mean, state.square | square)


CHUNK = 1 << 15  # numbers taken together, so that all arrays of an update stay in the second-level cache
EPSILON = {"adam": 1e-8, "adagrad": 1e-10}  # PyTorch's
MEMORIES = {"adam": 2, "adagrad": 1, "sgd": 0}
SMALLEST_SQUARE = 1e-30  # below this, a sum of squares in single precision has lost digits
FADED = 1e-30  # a running mean below this is set to zero: subnormal numbers are slow, and change nothing
FLUSH = 128  # updates between two such settings


class Optimiser:
    """One of OPTIMISERS on a flat array of parameters, which it changes in place.

    adam keeps m / (1 - beta1) and v / (1 - beta2), so that an update has fewer passes; adagrad (Duchi et al.
    2011) keeps the sum of squares; sgd keeps nothing."""

    def __init__(self, kind: str, size: int, dtype: DTypeLike) -> None:
        self.kind, self.updates = kind, 0
        self.memories = [np.zeros(size, dtype) for _ in range(MEMORIES[kind])]
        self.scratch = np.empty(min(size, CHUNK), dtype)

    def update(self, params: Array, grads: Array, rate: float) -> None:
        """Changes params by one update."""
        self.updates += 1
        rule = {"adam": self._adam, "adagrad": self._adagrad, "sgd": self._sgd}[self.kind]
        for first in range(0, len(params), CHUNK):
            part = slice(first, first + CHUNK)
            p = params[part]
            rule(p, grads[part], [memory[part] for memory in self.memories], self.scratch[: len(p)], rate)
        if self.kind == "adam" and self.updates % FLUSH == 0:
            m = self.memories[0]
            m[np.abs(m) < FADED] = 0.0

    def _adam(self, p: Array, g: Array, kept: list[Array], t: Array, rate: float,
              beta1: float = 0.9, beta2: float = 0.999) -> None:
        """p -= rate * unbiased m / (sqrt(unbiased v) + epsilon) (Kingma & Ba 2015, Algorithm 1)."""
        m, v = kept
        root = sqrt((1 - beta2) / (1 - beta2**self.updates))
        m *= beta1
        m += g
        np.multiply(g, g, out=t)
        v *= beta2
        v += t
        np.sqrt(v, out=t)
        t += EPSILON["adam"] / root
        np.divide(m, t, out=t)
        t *= rate * (1 - beta1) / (1 - beta1**self.updates) / root
        p -= t

    def _adagrad(self, p: Array, g: Array, kept: list[Array], t: Array, rate: float) -> None:
        """p -= rate * g / (sqrt(sum of g^2) + epsilon)."""
        (total,) = kept
        np.multiply(g, g, out=t)
        total += t
        np.sqrt(total, out=t)
        t += EPSILON["adagrad"]
        np.divide(g, t, out=t)
        t *= rate
        p -= t

    def _sgd(self, p: Array, g: Array, kept: list[Array], t: Array, rate: float) -> None:
        """p -= rate * g."""
        np.multiply(g, rate, out=t)
        p -= t


def flat_norm(grads: Array) -> float:
    """Returns the Euclidean norm of a flat array; in double precision where single precision's range is left."""
    square = float(np.dot(grads, grads))
    if isfinite(square) and square > SMALLEST_SQUARE:
        return sqrt(square)
    return float(np.linalg.norm(grads.astype(np.float64)))


def clip(grads: Array, by: str, limit: float, norm: float) -> float:
    """Clips a flat gradient of this norm in place, and returns what was clipped.

    "norm": all of it is scaled to the limit where its norm is larger, as PyTorch's clip_grad_norm_ does (Pascanu
    et al. 2013); returns 1 or 0. "element": each entry is held to +-limit; returns their share. "off": 0."""
    if by == "norm" and norm > limit:
        grads *= limit / (norm + 1e-6)
        return 1.0
    if by == "element":
        over = np.count_nonzero(np.abs(grads) > limit)
        np.clip(grads, -limit, limit, out=grads)
        return over / grads.size
    return 0.0


def fallen(rate: float, decay: float, passes: int) -> float:
    """Returns the rate after so many whole passes over the data: rate / (1 + decay * passes)."""
    return rate / (1.0 + decay * passes)
