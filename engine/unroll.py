"""The forward scan: (network, parameters, data, resets) -> Tape.

The loop over time does only what is sequential: input projections come before it, the readout after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.arrays import Array, Params, add_rows
from engine.cells import LayerTape
from engine.cells.base import Views, parts_of, split
from engine.network import Network, first_inputs, layer_params, losses_and_gradients, readout
from engine.symbols import Projection, columns_of, symbol_projection

CACHED = 1 << 16  # numbers of the gates that are projected together in training


@dataclass(frozen=True)
class Data:
    """What a network is run on, features before columns. `counts` marks the loss steps."""

    xs: Array  # (T, D, B) values, or (T, B) symbols
    targets: Array  # (T, B) classes, or (T, O, B) values
    counts: NDArray[np.bool_]  # (T,)
    initial: tuple[Array, ...]  # per layer (S, B)

    def dense(self, symbols: int) -> Data:
        """Returns the same data, with symbols as one-hot columns (T, V, B)."""
        return replace(self, xs=columns_of(self.xs, symbols))


@dataclass(frozen=True)
class Tape:
    """What the forward pass keeps for the backward pass. Losses and dy are per sample, 0 off the loss steps."""

    layers: tuple[LayerTape, ...]
    embedded_from: Array | None  # (T, B) symbols: what the embedding read, where there is one
    losses: Array  # (T, B)
    dy: Array  # (T, O, B)


def unroll(network: Network, params: Params, data: Data, reset: NDArray[np.bool_],
           entering: Sequence[Array] | None = None) -> Tape:
    """Returns the tape of a run in which the state is the initial state again before each reset step. It begins
    in the state `entering`, (S, B) per layer, where there is one."""
    scan = Scan(network, len(data.xs), data.xs.shape[-1])
    layers = scan.run(params, first_inputs(params, data.xs), data.initial, reset, entering)
    ys = readout(params, layers[-1].states[:, : network.hidden])
    found, dy = losses_and_gradients(network, ys, data.targets)
    found[~data.counts] = 0.0
    dy[~data.counts] = 0.0
    return Tape(layers, data.xs if network.embedding else None, found, dy)


def project(w: Params, xs: Array) -> Array:
    """Returns W_ih x + b for all steps: (T, D, N) -> contiguous (T, G, N). One column is one product; more are
    multiplied where they stand, as laying them out for one product takes longer than the product."""
    if xs.shape[2] == 1:
        return np.asarray(xs[:, :, 0] @ w["W_ih"].T + w["b"])[:, :, None]
    return add_rows(np.matmul(w["W_ih"], xs), w["b"])


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
        self.parts = parts_of(cell.gates * H, H, N) if quick and cell.whole else 1
        self.views = [list(self._cut(layer)) for layer in layers] if quick else []

    def _cut(self, layer: int) -> Iterator[Views]:
        pre, act, extra, states = self.pre[layer], self.act[layer], self.extra[layer], self.states[layer]
        cell = self.network.cell
        if self.quick:
            return (cell.quick_views(s, a, self.scratch, e, out, self.parts)
                    for s, a, e, out in zip(states, pre, extra, states[1:], strict=False))
        return zip(*cell.ahead_views(states[:-1], pre, act, extra, states[1:]), strict=True)

    def run(self, params: Params, xs: Array, initial: Sequence[Array], reset: NDArray[np.bool_],
            entering: Sequence[Array] | None = None) -> tuple[LayerTape, ...]:
        """Returns each layer's tape. xs (T, D, N), already embedded; or (T, N) symbols."""
        below, tapes = xs, []
        for layer in range(self.network.layers):
            self.states[layer][0] = (entering or initial)[layer]
            tapes.append(self._layer(layer, params, below, initial[layer], reset))
            below = tapes[-1].states[:, : self.network.hidden]
        return tuple(tapes)

    def _layer(self, layer: int, params: Params, xs: Array, initial: Array, reset: NDArray[np.bool_]) -> LayerTape:
        w, T, cell = layer_params(params, layer), len(xs), self.network.cell
        pre, act, extra, states = self.pre[layer][:T], self.act[layer], self.extra[layer], self.states[layer]
        write, some = self._projection(w, params.get("E"), xs, pre)
        if self.quick:
            W = w["W_hh"] * self.halves[:, None] if len(self.halves) else w["W_hh"]
            w = {**w, "W_hh": split(W, self.parts)}
        step, again = cell.quick if self.quick else cell.ahead, reset.tolist()
        steps = iter(self.views[layer]) if self.quick else self._cut(layer)
        for first in range(0, T, some):
            end = min(first + some, T)
            write(slice(first, end))
            for t, views in zip(range(first, end), steps, strict=False):
                if again[t]:
                    views = cell.ahead_views(initial, pre[t], act[t], extra[t], states[t + 1])
                step(w, *views)
        entering = states[:T]
        if reset.any():
            entering = entering.copy()
            entering[reset] = initial
        return LayerTape(cell, xs, pre, act[:T], extra[:T], entering, states[1 : T + 1], quick=self.quick)

    def _projection(self, w: Params, E: Array | None, xs: Array, out: Array) -> tuple[Projection, int]:
        """Returns what writes W_ih x + b, and for how many steps at a time: training's are then still in the cache.
        Quick steps start again from the initial state at the first step alone."""
        halves, (T, G, N) = self.halves if len(self.halves) else None, out.shape
        some = max(1, CACHED // (G * N)) if self.quick else T
        if xs.ndim == 2:
            return symbol_projection(w, E, xs, out, halves), some
        if not self.quick or N == 1:
            return lambda _: self._whole(w, xs, out, halves), T
        W, b = (w["W_ih"], w["b"]) if halves is None else (w["W_ih"] * halves[:, None], w["b"] * halves)

        def written(now: slice) -> None:
            np.matmul(W, xs[now], out=out[now])
            out[now] += b[:, None]

        return written, some

    def _whole(self, w: Params, xs: Array, out: Array, halves: Array | None) -> None:
        out[...] = project(w, xs)
        if halves is not None:
            out *= halves[:, None]
