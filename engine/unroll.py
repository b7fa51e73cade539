"""The forward scan: (network, parameters, data, resets) -> Tape.

The loop over time does only what is sequential: input projections come before it in one product,
the readout after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Params
from engine.cells import LayerTape
from engine.network import Network, first_inputs, layer_params, losses_and_gradients, readout


@dataclass(frozen=True)
class Data:
    """What a network is run on, features before columns. `counts` marks the loss steps."""

    xs: Array  # (T, D, B)
    targets: Array  # (T, B) classes, or (T, O, B) values
    counts: NDArray[np.bool_]  # (T,)
    initial: tuple[Array, ...]  # per layer (S, B)


@dataclass(frozen=True)
class Tape:
    """What the forward pass keeps for the backward pass. Losses and dy are per sample, 0 off the loss steps."""

    layers: tuple[LayerTape, ...]
    embedded_from: Array | None  # (T, V, B) the symbols, where there is an embedding
    losses: Array  # (T, B)
    dy: Array  # (T, O, B)


def unroll(network: Network, params: Params, data: Data, reset: NDArray[np.bool_]) -> Tape:
    """Returns the tape of a run in which the state is the initial state again before each reset step."""
    below = first_inputs(params, data.xs)
    layers = []
    for layer in range(network.layers):
        layers.append(_scan(network, layer_params(params, layer), below, data.initial[layer], reset))
        below = layers[-1].states[:, : network.hidden]
    found, dy = losses_and_gradients(network, readout(params, below), data.targets)
    found[~data.counts] = 0.0
    dy[~data.counts] = 0.0
    return Tape(tuple(layers), data.xs if network.embedding else None, found, dy)


def project(w: Params, xs: Array) -> Array:
    """Returns W_ih x + b for all steps in one product: (T, D, N) -> contiguous (T, G, N)."""
    T, D, N = xs.shape
    flat = np.swapaxes(xs, 1, 2).reshape(T * N, D)
    pre = flat @ w["W_ih"].T
    pre += w["b"]
    return np.ascontiguousarray(np.swapaxes(pre.reshape(T, N, -1), 1, 2))


def _scan(network: Network, w: Params, xs: Array, initial: Array, reset: NDArray[np.bool_]) -> LayerTape:
    cell, (T, _, N) = network.cell, xs.shape
    pre = project(w, xs)
    act, extra = np.empty_like(pre), np.empty((T, cell.extras * network.hidden, N))
    states = np.empty((T + 1, network.state, N))
    states[0] = initial
    forward = cell.forward
    for a, y, e, s, out, again in zip(pre, act, extra, states, states[1:], reset.tolist(), strict=False):
        forward(w, initial if again else s, a, y, e, out)
    entering = states[:-1]
    if reset.any():
        entering = entering.copy()
        entering[reset] = initial
    return LayerTape(cell, xs, pre, act, extra, entering, states[1:])
