"""The plain recurrent cell (Elman 1990)."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, matmul
from engine.nonlinear import dtanh, tanh


@final
class RNN(Cell):
    """h' = tanh(W_ih x + W_hh h + b)."""

    name = "rnn"
    gates = 1
    records = 1

    def forward(self, w: Params, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> None:
        pre += w["W_hh"] @ s
        tanh(pre, out=out)

    def factors(self, tape: LayerTape) -> Array:
        return dtanh(tape.pre)

    def backward(self, w: Params, f: Array, ds: Array, dA: Array, out: Array) -> None:
        np.multiply(ds, f[0], out=dA)
        matmul(w["W_hh"].T, dA, out)

    def fold(self, w: Params, f: Array, block: str) -> Array:
        return np.asarray(f.T[:, :, None] * w[block])
