"""The plain recurrent cell (Elman 1990)."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, Views, flat, split
from engine.nonlinear import tanh


@final
class RNN(Cell):
    """h' = tanh(W_ih x + W_hh h + b)."""

    name = "rnn"
    gates = 1
    records = 1
    slopes = 1

    def ahead_views(self, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> Views:
        return s, pre, out

    def ahead(self, w: Params, *views: Array) -> None:
        s, pre, out = views
        np.matmul(w["W_hh"], s, out=out)
        pre += out
        tanh(pre, out=out)

    def quick_views(self, s: Array, pre: Array, scratch: Array, extra: Array, out: Array, parts: int) -> Views:
        return s, pre, split(out, parts), out

    def quick(self, w: Params, *views: Array) -> None:
        s, pre, product, out = views
        np.matmul(w["W_hh"], s, out=product)
        pre += out
        np.tanh(pre, out=out)

    def factors(self, tape: LayerTape, out: Array) -> None:
        tape.dtanh(tape.pre, tape.states, 1.0, out)

    def back_views(self, f: Array, ds: Array, dA: Array, out: Array, parts: int) -> Views:
        return f[..., 0, :, :, :], ds, dA, flat(dA), flat(out, parts)

    def back(self, w: Params, *views: Array) -> None:
        f, ds, dA, record, out = views
        np.multiply(ds, f, out=dA)
        np.matmul(w["W_hh.T"], record, out=out)

    def fold(self, w: Params, f: Array, block: str, out: Array) -> None:
        np.multiply(f.T[:, :, None], w[block], out=out)
