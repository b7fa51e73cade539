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
from engine.unroll import Tape


@dataclass(frozen=True)
class Lag:
    """What all losses send back over one lag."""

    blocks: Params  # this lag's part of every recurrent block's gradient (mean over the batch)
    norm: float  # mean of |dL_s/dh_{s-l}|, all layers, over the samples and the losses at s >= l; NaN if none
    state: float  # the same for the whole state, h and c


def by_lag(network: Network, params: Params, tape: Tape, counts: Bools) -> Iterator[Lag]:
    """Yields the part of the gradient that full BPTT gets over lag 0, 1, ... T - 1.

    `W_hy` and `b_y` belong to lag 0 alone and are left out. `counts` (T,) marks the loss steps. Where the
    first layer reads symbols, `l0.W_ih` has only the columns of `inputs_used`; the others are zero."""
    T, B = tape.losses.shape
    H, w = network.hidden, [layer_params(params, layer) for layer in range(network.layers)]
    tapes = [_flat_tape(kept) for kept in tape.layers]
    used = inputs_used(tape)
    tapes[0] = replace(tapes[0], xs=np.ascontiguousarray(tapes[0].xs[:, used]))
    factors = [_flat(kept.factors).reshape(-1, H, T * B) for kept in tape.layers]
    symbols = None if tape.embedded_from is None else _flat(tape.embedded_from)
    ds = [np.zeros((network.state, T * B)) for _ in w]
    ds[-1][:H] = _flat(np.matmul(params["W_hy"].T, tape.dy))
    for lag in range(T):
        M = (T - lag) * B
        blocks: Params = {}
        back: list[Array] = []
        h_size, c_size = np.zeros(M), np.zeros(M)
        for layer in range(network.layers - 1, -1, -1):
            here = ds[layer]
            h_size = np.hypot(h_size, norm(here[:H], 0))
            dA, out = np.empty((network.cell.records * H, 1, M)), np.empty((network.state, 1, M))
            network.cell.backward(w[layer], factors[layer][:, :, None, :M], here[:, None], dA, out)
            if network.cell.parts == 2:  # now through h too
                c_size = np.hypot(c_size, norm(here[H:], 0))
            into = network.cell.input_side(dA[:, 0], 0)
            if layer:
                ds[layer - 1][:H] += w[layer]["W_ih"].T @ into
            elif symbols is not None:
                blocks["E"] = symbols[:, :M] @ (into.T @ w[0]["W_ih"]) / B
            pairs = network.cell.terms(tapes[layer].part(slice(1), slice(M)), dA[:, 0][None])
            blocks |= {f"l{layer}.{name}": _sum(some, vector=name[0] == "b") / B for name, some in pairs.items()}
            back.insert(0, np.ascontiguousarray(out[:, 0, B:]))
        reaching = float(counts[lag:].sum() * B) or float("nan")
        yield Lag(blocks, float(h_size.sum()) / reaching, float(np.hypot(h_size, c_size).sum()) / reaching)
        ds = back


def inputs_used(tape: Tape) -> Array:
    """Returns the indices of the first layer's inputs that are ever other than zero."""
    return np.flatnonzero(tape.layers[0].xs.any(axis=(0, 2)))


def _flat(x: Array) -> Array:
    """(T, F, B) -> (F, T*B)."""
    return np.ascontiguousarray(np.moveaxis(x, 0, 1).reshape(x.shape[1], x.shape[0] * x.shape[2]))


def _flat_tape(kept: LayerTape) -> LayerTape:
    arrays = (kept.xs, kept.pre, kept.act, kept.extra, kept.entering, kept.states)
    return LayerTape(kept.cell, *(_flat(x)[None] for x in arrays))


def _sum(pairs: list[tuple[Array, Array]], vector: bool) -> Array:
    if vector:
        return np.concatenate([left[0].sum(axis=1) for left, _ in pairs])
    return np.concatenate([left[0] @ right[0].T for left, right in pairs])
