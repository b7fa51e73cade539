"""The gradient at every lag, from one batched sweep: all losses go back one lag at a time, together.

At lag l every loss step s >= l stands at state step s - l. The columns of the sweep are the pairs
(state step, sample); going back a lag drops the pairs that have reached the initial state. One
product a lag serves all losses, where a run for each k would repeat the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array, Bools, Params, norm
from engine.cells import LayerTape
from engine.network import Network, layer_params
from engine.symbols import columns_of
from engine.unroll import Tape


@dataclass(frozen=True)
class Lag:
    """What all losses send back over one lag."""

    blocks: Params  # this lag's part of every recurrent block's gradient (mean over the batch)
    norm: float  # mean of |dL_s/dh_{s-l}|, all layers, over the samples and the losses at s >= l; NaN if none
    state: float  # the same for the whole state, h and c


def by_lag(network: Network, params: Params, tape: Tape, counts: Bools, unit: float = 1.0) -> Iterator[Lag]:
    """Yields the part of the gradient that full BPTT gets over lag 0, 1, ... T - 1, divided by `unit`.

    `W_hy` and `b_y` belong to lag 0 alone and are left out. `counts` (T,) marks the loss steps. Where the
    first layer reads symbols, `l0.W_ih` has only the columns of `inputs_used`; the others are zero."""
    sweep = _Pairs(network, params, tape, unit)
    for lag in range(len(counts)):
        blocks, h_size, size = sweep.step()
        reaching = float(counts[lag:].sum()) or float("nan")
        yield Lag(blocks, float(h_size.sum()) / reaching, float(size.sum()) / reaching)


class _Pairs:
    """The sweep's columns: (state step, sample) by state step, of which the first M are left. Buffers are
    used again at every lag, since fresh memory would cost more than what is computed in it."""

    def __init__(self, network: Network, params: Params, tape: Tape, unit: float) -> None:
        self.network, self.cell, self.H = network, network.cell, network.hidden
        T, self.B = tape.losses.shape
        self.M, S = T * self.B, network.state
        self.w = [layer_params(params, layer) for layer in range(network.layers)]
        read = columns_of(tape.layers[0].xs, network.inputs)[:, inputs_used(tape)]
        self.tapes = [_flat_tape(kept) for kept in (replace(tape.layers[0], xs=read), *tape.layers[1:])]
        self.factors = [_flat(kept.factors).reshape(-1, self.H, 1, self.M) for kept in tape.layers]
        self.symbols = tape.embedded_from
        if self.symbols is not None:
            self.symbols = _flat(columns_of(self.symbols, network.inputs))
        self.ds = [np.zeros((S, self.M)) for _ in self.w]
        self.ds[-1][: self.H] = _flat(np.matmul(params["W_hy"].T, tape.dy / (unit * self.B)))  # the batch's mean
        self.dA = np.empty(self.cell.records * self.H * self.M)
        self.out = [[np.empty(S * self.M), np.empty(S * self.M)] for _ in self.w]

    def step(self) -> tuple[Params, Array, Array]:
        """Returns the lag's part of each block, and of each pair |dL_s/dh| / B and |dL_s/d(h, c)| / B;
        goes back a lag."""
        blocks: Params = {}
        h_size, c_size = np.zeros(self.M), np.zeros(self.M)
        for layer in range(len(self.w) - 1, -1, -1):
            here = self.ds[layer]
            h_size = np.hypot(h_size, norm(here[: self.H], 0))
            blocks |= self.layer(layer, here)
            if self.cell.parts == 2:  # now through h too
                c_size = np.hypot(c_size, norm(here[self.H :], 0))
        self.M -= self.B
        return blocks, h_size, np.hypot(h_size, c_size)

    def layer(self, layer: int, here: Array) -> Params:
        """One layer, one lag back; hands the input's gradient to the layer below."""
        M, w = self.M, self.w[layer]
        dA = self.dA[: self.cell.records * self.H * M].reshape(-1, 1, M)
        self.out[layer].reverse()
        out = self.out[layer][0][: self.network.state * M].reshape(-1, 1, M)
        self.cell.backward(w, self.factors[layer][..., :M], here[:, None], dA, out)
        self.ds[layer] = out[:, 0, self.B :]
        pairs = self.cell.terms(self.tapes[layer].part(slice(1), slice(M)), dA[:, 0][None])
        blocks = {f"l{layer}.{name}": _sum(some, vector=name[0] == "b") for name, some in pairs.items()}
        if layer:
            self.ds[layer - 1][: self.H] += w["W_ih"].T @ self.cell.input_side(dA[:, 0], 0)
        elif self.symbols is not None:
            into = self.cell.input_side(dA[:, 0], 0)
            blocks["E"] = self.symbols[:, :M] @ (into.T @ w["W_ih"])
        return blocks


def inputs_used(tape: Tape) -> Array:
    """Returns the indices of the first layer's inputs that are ever other than zero."""
    xs = tape.layers[0].xs
    return np.unique(xs) if xs.ndim == 2 else np.flatnonzero(xs.any(axis=(0, 2)))


def _flat(x: Array) -> Array:
    """(T, F, B) -> (F, T*B)."""
    return np.ascontiguousarray(np.moveaxis(x, 0, 1).reshape(x.shape[1], x.shape[0] * x.shape[2]))


def _flat_tape(kept: LayerTape) -> LayerTape:
    arrays = (kept.xs, kept.pre, kept.act, kept.extra, kept.entering, kept.states)
    return LayerTape(kept.cell, *(_flat(x)[None] for x in arrays))


def _sum(pairs: list[tuple[Array, Array]], vector: bool) -> Array:
    parts = [left[0].sum(axis=1) if vector else left[0] @ right[0].T for left, right in pairs]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
