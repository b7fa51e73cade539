"""Optimisers as pure functions: parameters and gradients in, new parameters out. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Params


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
