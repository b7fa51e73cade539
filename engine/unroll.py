"""The forward scan: (network, parameters, data, resets) -> Tape.

The loop over time does only what is sequential: input projections come before it in one product,
the readout after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.arrays import Array, Params
from engine.cells import LayerTape
from engine.cells.base import Views
from engine.network import Network, first_inputs, layer_params, losses_and_gradients, readout
from engine.symbols import project_symbols


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
    scan = Scan(network, len(data.xs), data.xs.shape[2])
    layers = scan.run(params, first_inputs(params, data.xs), data.initial, reset)
    ys = readout(params, layers[-1].states[:, : network.hidden])
    found, dy = losses_and_gradients(network, ys, data.targets)
    found[~data.counts] = 0.0
    dy[~data.counts] = 0.0
    return Tape(layers, data.xs if network.embedding else None, found, dy)


def project(w: Params, xs: Array) -> Array:
    """Returns W_ih x + b for all steps in one product: (T, D, N) -> contiguous (T, G, N)."""
    T, D, N = xs.shape
    flat = np.swapaxes(xs, 1, 2).reshape(T * N, D)
    pre = flat @ w["W_ih"].T
    pre += w["b"]
    return np.ascontiguousarray(np.swapaxes(pre.reshape(T, N, -1), 1, 2))


def _steps(keep: bool, T: int, shape: tuple[int, int], dtype: DTypeLike) -> Array:
    """Returns an array for every step, (T, *shape); one and the same for all where they are not kept."""
    if keep:
        return np.empty((T, *shape), dtype)
    one = np.empty((1, *shape), dtype)
    return np.lib.stride_tricks.as_strided(one, (T, *shape), (0, *one.strides[1:]))


class Scan:
    """The buffers of a forward scan over at most T steps of N columns, and its loop.

    A tape is views of these buffers. An analysis makes a scan for each run. Training, where `by_outputs` is
    set, keeps one and runs it again for every window; the tape before is then lost. Without `keep` there is no
    tape: all steps share their gates, and only the states stay."""

    def __init__(self, network: Network, T: int, N: int, dtype: DTypeLike = np.float64,
                 by_outputs: bool = False, keep: bool = True) -> None:
        cell, H, layers = network.cell, network.hidden, range(network.layers)
        self.network, self.quick = network, by_outputs or not keep
        self.pre = [np.empty((T, cell.gates * H, N), dtype) for _ in layers]
        self.act = [_steps(keep, T, (cell.gates * H, N), dtype) for _ in layers]
        self.extra = [_steps(keep, T, (cell.extras * H, N), dtype) for _ in layers]
        self.states = [np.empty((T + 1, network.state, N), dtype) for _ in layers]
        self.factors = [np.empty((T, cell.slopes * H, N), dtype) for _ in layers] if by_outputs else []
        self.views = [self._cut(layer) for layer in layers]

    def _cut(self, layer: int) -> list[Views]:
        pre, act, extra, states = self.pre[layer], self.act[layer], self.extra[layer], self.states[layer]
        return [self.network.cell.ahead_views(*step) for step in zip(states, pre, act, extra, states[1:], strict=False)]

    def run(self, params: Params, xs: Array, initial: Sequence[Array],
            reset: NDArray[np.bool_]) -> tuple[LayerTape, ...]:
        """Returns each layer's tape. xs (T, D, N), already embedded; or (T, N) symbols."""
        below, tapes = xs, []
        for layer in range(self.network.layers):
            tapes.append(self._layer(layer, params, below, initial[layer], reset))
            below = tapes[-1].states[:, : self.network.hidden]
        return tuple(tapes)

    def _layer(self, layer: int, params: Params, xs: Array, initial: Array, reset: NDArray[np.bool_]) -> LayerTape:
        w, T, cell = layer_params(params, layer), len(xs), self.network.cell
        pre, act, extra, states = (x[layer] for x in (self.pre, self.act, self.extra, self.states))
        self._project(w, params.get("E"), xs, pre[:T])
        states[0] = initial
        ahead, again = cell.ahead, reset.tolist()
        for t, views in zip(range(T), self.views[layer], strict=False):
            if again[t]:
                views = cell.ahead_views(initial, pre[t], act[t], extra[t], states[t + 1])
            ahead(w, *views)
        entering = states[:T]
        if reset.any():
            entering = entering.copy()
            entering[reset] = initial
        return LayerTape(cell, xs, pre[:T], act[:T], extra[:T], entering, states[1 : T + 1],
                         self.factors[layer][:T] if self.factors else None)

    def _project(self, w: Params, E: Array | None, xs: Array, out: Array) -> None:
        """Writes W_ih x + b for all steps."""
        if xs.ndim == 2:
            project_symbols(w, E, xs, out)
        elif self.quick and xs.shape[2] > 1:
            np.matmul(w["W_ih"], xs, out=out)
            out += w["b"][:, None]
        else:
            out[...] = project(w, xs)
