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


class Scan:
    """The buffers of a forward scan over at most T steps of N columns, and its loop.

    A tape is views of these buffers. An analysis makes a scan for each run. Training, with `quick` steps, keeps
    one and runs it again for every window; the tape before is then lost."""

    def __init__(self, network: Network, T: int, N: int, dtype: DTypeLike = np.float64, quick: bool = False) -> None:
        cell, H, layers = network.cell, network.hidden, range(network.layers)
        self.network, self.quick = network, quick
        self.pre = [np.empty((T, cell.gates * H, N), dtype) for _ in layers]
        self.act = self.pre if quick else [np.empty_like(pre) for pre in self.pre]
        self.extra = [np.empty((T, cell.extras * H, N), dtype) for _ in layers]
        self.states = [np.empty((T + 1, network.state, N), dtype) for _ in layers]
        self.scratch = np.empty((cell.gates * H, N), dtype)
        self.halves = np.repeat(np.array(cell.halved, dtype), H) if quick else np.empty(0)
        self.room: Array | None = None
        self.views = [self._cut(layer) for layer in layers]

    def _cut(self, layer: int) -> list[Views]:
        pre, act, extra, states = self.pre[layer], self.act[layer], self.extra[layer], self.states[layer]
        cell, steps = self.network.cell, zip(states, pre, act, extra, states[1:], strict=False)
        if self.quick:
            return [cell.quick_views(s, a, self.scratch, e, out) for s, a, _, e, out in steps]
        return [cell.ahead_views(*step) for step in steps]

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
        pre, act, extra, states = self.pre[layer][:T], self.act[layer], self.extra[layer], self.states[layer]
        w = self._project(w, params.get("E"), xs, pre)
        states[0] = initial
        step, again = cell.quick if self.quick else cell.ahead, reset.tolist()
        for t, views in zip(range(T), self.views[layer], strict=False):
            if again[t]:
                views = cell.ahead_views(initial, pre[t], act[t], extra[t], states[t + 1])
            step(w, *views)
        entering = states[:T]
        if reset.any():
            entering = entering.copy()
            entering[reset] = initial
        return LayerTape(cell, xs, pre, act[:T], extra[:T], entering, states[1 : T + 1], quick=self.quick)

    def _project(self, w: Params, E: Array | None, xs: Array, out: Array) -> Params:
        """Writes W_ih x + b for all steps; returns the weights that the steps take. Quick steps start again from the
        initial state at the first step alone."""
        halves = self.halves if len(self.halves) else None
        if xs.ndim == 2:
            project_symbols(w, E, xs, out, halves, self._rows(len(xs) * xs.shape[1]))
        elif self.quick and xs.shape[2] > 1:
            np.matmul(w["W_ih"] if halves is None else w["W_ih"] * halves[:, None], xs, out=out)
            out += (w["b"] if halves is None else w["b"] * halves)[:, None]
        else:
            out[...] = project(w, xs)
            if halves is not None:
                out *= halves[:, None]
        return w if halves is None else {**w, "W_hh": w["W_hh"] * halves[:, None]}

    def _rows(self, places: int) -> Array:
        """Returns room for a row of gates at every place."""
        if self.room is None:
            steps, gates, columns = self.pre[0].shape
            self.room = np.empty((steps * columns, gates), self.pre[0].dtype)
        return self.room[:places]
