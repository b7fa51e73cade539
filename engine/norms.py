"""Norms of states and gradients, per sample and then averaged over the batch."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, norm
from engine.backprop import Gradients
from engine.cells.base import Terms
from engine.network import Network
from engine.terms import Once, gram, step_norms
from engine.traces import GradientNorms, StateNorms
from engine.unroll import Tape

MOST_PRODUCTS = 1 << 18  # of columns, at all steps of one side of a term, that are held at once


def gradient_norms(network: Network, found: Gradients) -> GradientNorms:
    """Returns the norms of what one sweep found."""
    blocks = {name: float(norm(block.ravel(), 0)) for name, block in found.blocks.items()}
    return GradientNorms(*norms_of(network, found.states), contributions(found), blocks)


def contributions(found: Gradients) -> dict[str, Array]:
    """Returns, per block, (T,): the norm of each step's term of the block's gradient. Of large batches, whose columns
    have many products, some steps at a time, and nothing is kept."""
    first = next(iter(found.terms.values()))[0][0]
    T, N = len(first), first.shape[-1]
    each = max(1, MOST_PRODUCTS // N**2)
    if each >= T:
        return _contributions(found.terms, found.grams)
    parts = [_contributions(_some(found.terms, slice(t, t + each)), Once(gram)) for t in range(0, T, each)]
    return {name: np.concatenate([part[name] for part in parts]) for name in found.terms}


def _contributions(terms: Terms, grams: Once) -> dict[str, Array]:
    return {name: step_norms(pairs, grams) / pairs[0][0].shape[-1] for name, pairs in terms.items()}


def _some(terms: Terms, steps: slice) -> Terms:
    return {name: [(left[steps], right[steps]) for left, right in pairs] for name, pairs in terms.items()}


def state_norms(network: Network, tape: Tape) -> StateNorms:
    """Returns the norms of the states along a tape."""
    return StateNorms(*norms_of(network, tuple(kept.states for kept in tape.layers)))


def norms_of(network: Network, states: tuple[Array, ...]) -> tuple[Array, Array | None, Array, Array | None]:
    """Returns the norms of h and c with all layers together (T,), then of h and c by layer (L, T)."""
    T, _, B = states[0].shape
    parts = [norm(layer.reshape(T, network.cell.parts, network.hidden, B), 2) for layer in states]
    by_sample = np.stack(parts).transpose(2, 0, 1, 3)  # (parts, L, T, B)
    h, *c = np.hypot.reduce(by_sample, axis=1).mean(axis=2)
    h_by_layer, *c_by_layer = by_sample.mean(axis=3)
    return h, c[0] if c else None, h_by_layer, c_by_layer[0] if c else None
