"""The long short-term memory cell (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000)."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, matmul, mix
from engine.nonlinear import dsigmoid, dtanh, sigmoid, tanh


@final
class LSTM(Cell):
    """i, f, g, o = split(W_ih x + W_hh h + b), in this order (PyTorch's);
    c' = sigmoid(f) * c + sigmoid(i) * tanh(g);  h' = sigmoid(o) * tanh(c').

    Backward, with dc = dc' + dh' * o * tanh'(c'): di = dc * g * sigmoid'(i), df = dc * c * sigmoid'(f),
    dg = dc * i * tanh'(g), do = dh' * tanh(c') * sigmoid'(o); dh = W_hh^T (di, df, dg, do), dc_prev = dc * f.
    """

    name = "lstm"
    gates = 4
    parts = 2
    records = 4
    extras = 1  # tanh(c')

    def forward(self, w: Params, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> None:
        H = s.shape[-2] // 2
        pre += w["W_hh"] @ s[..., :H, :]
        sigmoid(pre, out=act)
        g, c = act[..., 2 * H : 3 * H, :], out[..., H:, :]
        tanh(pre[..., 2 * H : 3 * H, :], out=g)
        np.multiply(act[..., H : 2 * H, :], s[..., H:, :], out=c)
        np.multiply(act[..., :H, :], g, out=extra)
        c += extra
        tanh(c, out=extra)
        np.multiply(act[..., 3 * H :, :], extra, out=out[..., :H, :])

    def factors(self, tape: LayerTape) -> Array:
        """Rows: d/di, d/df, d/dg of c'; d/do of h'; dh'/dc'; f."""
        T, G, N = tape.pre.shape
        H = G // 4
        i, f, g, o = (tape.act[:, n * H : (n + 1) * H] for n in range(4))
        out = np.empty((T, 6 * H, N))
        out[:, : 4 * H] = dsigmoid(tape.pre)
        out[:, :H] *= g
        out[:, H : 2 * H] *= tape.entering[:, H:]
        np.multiply(i, dtanh(tape.pre[:, 2 * H : 3 * H]), out=out[:, 2 * H : 3 * H])
        out[:, 3 * H : 4 * H] *= tape.extra
        np.multiply(o, dtanh(tape.states[:, H:]), out=out[:, 4 * H : 5 * H])
        out[:, 5 * H :] = f
        return out

    def backward(self, w: Params, f: Array, ds: Array, dA: Array, out: Array) -> None:
        H = f.shape[1]
        dh, dc = ds[:H], ds[H:]
        gates = dA.reshape(4, *dh.shape)
        through_h = gates[0]
        np.multiply(dh, f[4], out=through_h)
        dc += through_h
        np.multiply(dc, f[:3], out=gates[:3])
        np.multiply(dh, f[3], out=gates[3])
        matmul(w["W_hh"].T, dA, out[:H])
        np.multiply(dc, f[5], out=out[H:])

    def fold(self, w: Params, f: Array, block: str) -> Array:
        """Rows (dh, dc) -> [d/do W_o; d/di W_i + d/df W_f + d/dg W_g]: half the product of 4H rows."""
        W, H, N = w[block], w["W_hh"].shape[1], f.shape[1]
        out = np.empty((N, 2 * H, W.shape[1]))
        np.multiply(f.T[:, 3 * H : 4 * H, None], W[3 * H :], out=out[:, :H])
        mix(f.T[:, : 3 * H].reshape(N, 3, H), W[: 3 * H], out[:, H:])
        return out

    def prepare(self, f: Array, rows: Array, scratch: Array) -> None:
        H = scratch.shape[-1]
        np.multiply(rows[..., :H], f.T[:, None, 4 * H : 5 * H], out=scratch)
        rows[..., H:] += scratch

    def highway(self, f: Array, rows: Array) -> None:
        H = rows.shape[-1] // 2
        rows[..., H:] *= f.T[:, None, 5 * H :]
