"""The gated recurrent unit as first published: the reset gate before the product (Cho et al. 2014)."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, Terms, matmul, ones
from engine.nonlinear import dsigmoid, dtanh, interpolate, sigmoid, tanh


@final
class GRUResetBefore(Cell):
    """r, z = sigmoid(split(W_ih x + W_hh h + b));  n = tanh(W_in x + W_hn (r * h) + b_n);
    h' = (1 - z) * n + z * h.  Rows in the order r, z, n.

    Backward: dn = dh' * (1 - z) * tanh'; dz = dh' * (h - n) * sigmoid'; v = W_hn^T dn; dr = v * h * sigmoid';
    dh = dh' * z + v * r + W_hr^T dr + W_hz^T dz.
    """

    name = "gru"
    gates = 3
    records = 3
    extras = 1  # r * h

    def forward(self, w: Params, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> None:
        H = s.shape[-2]
        W = w["W_hh"]
        pre[..., : 2 * H, :] += W[..., : 2 * H, :] @ s
        sigmoid(pre[..., : 2 * H, :], out=act[..., : 2 * H, :])
        r, z, n = (act[..., g * H : (g + 1) * H, :] for g in range(3))
        np.multiply(r, s, out=extra)
        pre[..., 2 * H :, :] += W[..., 2 * H :, :] @ extra
        tanh(pre[..., 2 * H :, :], out=n)
        interpolate(z, sigmoid(-pre[..., H : 2 * H, :]), s, n, out)

    def factors(self, tape: LayerTape) -> Array:
        """Rows: dr for a unit v; dz, dn for a unit dh'; r; z."""
        T, G, N = tape.pre.shape
        H = G // 3
        out = np.empty((T, 5 * H, N))
        out[:, : 2 * H] = dsigmoid(tape.pre[:, : 2 * H])
        out[:, :H] *= tape.entering
        out[:, H : 2 * H] *= tape.entering - tape.act[:, 2 * H :]
        np.multiply(sigmoid(-tape.pre[:, H : 2 * H]), dtanh(tape.pre[:, 2 * H :]), out=out[:, 2 * H : 3 * H])
        out[:, 3 * H :] = tape.act[:, : 2 * H]
        return out

    def backward(self, w: Params, f: Array, ds: Array, dA: Array, out: Array) -> None:
        H = ds.shape[0]
        W = w["W_hh"]
        dr, dzn = dA[:H], dA[H:]
        np.multiply(ds, f[1:3], out=dzn.reshape(2, *ds.shape))
        v = np.empty(ds.shape)
        matmul(W[2 * H :].T, dA[2 * H :], v)
        np.multiply(v, f[0], out=dr)
        matmul(W[: 2 * H].T, dA[: 2 * H], out)
        v *= f[3]
        out += v
        out += ds * f[4]

    def terms(self, tape: LayerTape, dA: Array) -> Terms:
        H = dA.shape[1] // 3
        return {"W_ih": [(dA, tape.xs)], "b": [(dA, ones(dA))],
                "W_hh": [(dA[:, : 2 * H], tape.entering), (dA[:, 2 * H :], tape.extra)]}

    def fold(self, w: Params, f: Array, block: str) -> Array:
        H = w["W_hh"].shape[1]
        dr, dz, dn, r, z = np.moveaxis(f.T.reshape(f.shape[1], 5, H, 1), 1, 0)
        W_r, W_z, W_n = w[block].reshape(3, H, -1)
        v = dn * w["W_hh"][2 * H :]  # dh' -> v
        to_dr = v * np.swapaxes(dr, 1, 2)  # dh' -> dr
        out = to_dr @ W_r + dz * W_z
        if block == "W_ih":
            return np.asarray(out + dn * W_n)
        out += v * np.swapaxes(r, 1, 2)
        out[:, np.arange(H), np.arange(H)] += z[..., 0]
        return np.asarray(out)
