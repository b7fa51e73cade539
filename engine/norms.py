"""Norms of states and gradients, per sample and then averaged over the batch."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, norm
from engine.backprop import Gradients
from engine.network import Network
from engine.terms import step_norms
from engine.traces import GradientNorms, StateNorms
from engine.unroll import Tape


def gradient_norms(network: Network, found: Gradients) -> GradientNorms:
    """Returns the norms of what one sweep found."""
    blocks = {name: float(norm(block.ravel(), 0)) for name, block in found.blocks.items()}
    return GradientNorms(*norms_of(network, found.states), contributions(found), blocks)


def contributions(found: Gradients) -> dict[str, Array]:
    """Returns, per block, (T,): the norm of each step's term of the block's gradient."""
    return {name: step_norms(pairs, found.grams) / pairs[0][0].shape[-1] for name, pairs in found.terms.items()}


def state_norms(network: Network, tape: Tape) -> StateNorms:
    """Returns the norms of the states along a tape."""
    return StateNorms(*norms_of(network, tuple(kept.states for kept in tape.layers)))


def norms_of(network: Network, states: tuple[Array, ...]) -> tuple[Array, Array | None, Array, Array | None]:
    """Returns the norms of h and c with all layers together (T,), then of h and c by layer (L, T)."""
    h, h_by_layer = _part(network, states, 0)
    c, c_by_layer = _part(network, states, 1) if network.cell.parts == 2 else (None, None)
    return h, c, h_by_layer, c_by_layer


def _part(network: Network, states: tuple[Array, ...], part: int) -> tuple[Array, Array]:
    rows = slice(part * network.hidden, (part + 1) * network.hidden)
    by_sample = np.stack([norm(layer[:, rows], 1) for layer in states])
    return np.hypot.reduce(by_sample, axis=0).mean(axis=1), by_sample.mean(axis=2)
