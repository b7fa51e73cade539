"""A linear recurrence as a cell of the engine, for results about linear systems."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells import Cell, LayerTape
from engine.cells.base import Views, flat
from engine.network import Network
from engine.unroll import Data, Tape, unroll


@final
class Linear(Cell):
    """h' = W_ih x + W_hh h + b. Nothing bends it, so a sweep is exact wherever the numbers are."""

    name = "linear"
    gates = 1
    records = 1
    slopes = 1
    whole = False

    def ahead_views(self, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> Views:
        return s, pre, out

    def ahead(self, w: Params, *views: Array) -> None:
        s, pre, out = views
        pre += w["W_hh"] @ s
        out[...] = pre

    def quick_views(self, s: Array, pre: Array, scratch: Array, extra: Array, out: Array, parts: int) -> Views:
        return s, pre, out

    def quick(self, w: Params, *views: Array) -> None:
        self.ahead(w, *views)

    def factors(self, tape: LayerTape, out: Array) -> None:
        out.fill(1.0)

    def back_views(self, f: Array, ds: Array, dA: Array, out: Array, parts: int) -> Views:
        return ds, dA, flat(dA), flat(out, parts)

    def back(self, w: Params, *views: Array) -> None:
        ds, dA, record, out = views
        dA[...] = ds
        np.matmul(w["W_hh.T"], record, out=out)

    def fold(self, w: Params, f: Array, block: str, out: Array) -> None:
        out[...] = w[block]


def system(A: Array, b: Array) -> tuple[Network, Params]:
    """Returns s' = A s + b with its first unit read out, as a network without inputs: A (H, H), b (H,)."""
    H = len(b)
    network = Network(Linear(), layers=1, inputs=1, hidden=H, outputs=1, embedding=0, classify=False)
    return network, {"l0.W_ih": np.zeros((H, 1)), "l0.W_hh": A, "l0.b": b, "W_hy": np.eye(1, H), "b_y": np.zeros(1)}


def run(network: Network, params: Params, start: Array, target: float, counts: Array) -> Tape:
    """Returns the tape of a run from the state `start` (H,), with half the squared error to the target as
    the loss of the steps that `counts` (T,) marks."""
    T = len(counts)
    data = Data(np.zeros((T, 1, 1)), np.full((T, 1, 1), target), counts, (start[:, None],))
    return unroll(network, params, data, np.zeros(T, bool))
