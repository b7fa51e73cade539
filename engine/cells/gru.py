"""The gated recurrent unit, reset gate after the product (cuDNN's and PyTorch's form)."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, Terms, matmul, mix, ones
from engine.nonlinear import dsigmoid, dtanh, interpolate, sigmoid, tanh


@final
class GRU(Cell):
    """r, z = sigmoid(split(W_ih x + W_hh h + b));  q = W_hn h + b_hn;  n = tanh(W_in x + b_n + r * q);
    h' = (1 - z) * n + z * h.  Rows in the order r, z, n (PyTorch's).

    Backward: dn = dh' * (1 - z) * tanh'; dz = dh' * (h - n) * sigmoid'; dr = dn * q * sigmoid'; dq = dn * r;
    dh = dh' * z + W_hh^T (dr, dz, dq). The record keeps (dr, dz, dq, dn): hidden side first, dn last.
    """

    name = "gru"
    gates = 3
    records = 4
    extras = 1  # q

    def shapes(self, D: int, H: int) -> dict[str, tuple[int, ...]]:
        return {**super().shapes(D, H), "b_hn": (H,)}

    def forward(self, w: Params, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> None:
        H = s.shape[-2]
        product = w["W_hh"] @ s
        pre[..., : 2 * H, :] += product[..., : 2 * H, :]
        np.add(product[..., 2 * H :, :], w["b_hn"][..., None], out=extra)
        sigmoid(pre[..., : 2 * H, :], out=act[..., : 2 * H, :])
        r, z, n = (act[..., g * H : (g + 1) * H, :] for g in range(3))
        pre[..., 2 * H :, :] += r * extra
        tanh(pre[..., 2 * H :, :], out=n)
        interpolate(z, sigmoid(-pre[..., H : 2 * H, :]), s, n, out)

    def factors(self, tape: LayerTape) -> Array:
        """Rows: dr, dz, dq, dn for a unit dh'; then z."""
        T, G, N = tape.pre.shape
        H = G // 3
        r, z, n = (tape.act[:, g * H : (g + 1) * H] for g in range(3))
        out = np.empty((T, 5 * H, N))
        out[:, : 2 * H] = dsigmoid(tape.pre[:, : 2 * H])
        dn = out[:, 3 * H : 4 * H]
        np.multiply(sigmoid(-tape.pre[:, H : 2 * H]), dtanh(tape.pre[:, 2 * H :]), out=dn)
        out[:, :H] *= dn * tape.extra
        out[:, H : 2 * H] *= tape.entering - n
        np.multiply(dn, r, out=out[:, 2 * H : 3 * H])
        out[:, 4 * H :] = z
        return out

    def backward(self, w: Params, f: Array, ds: Array, dA: Array, out: Array) -> None:
        H = ds.shape[0]
        np.multiply(ds, f[:4], out=dA.reshape(4, *ds.shape))
        matmul(w["W_hh"].T, dA[: 3 * H], out)
        out += ds * f[4]

    def input_side(self, dA: Array, axis: int) -> Array:
        r, z, _, n = np.split(dA, 4, axis=axis)
        return np.concatenate((r, z, n), axis=axis)

    def terms(self, tape: LayerTape, dA: Array) -> Terms:
        H = dA.shape[1] // 4
        into, q = self.input_side(dA, 1), dA[:, 2 * H : 3 * H]
        return {"W_ih": [(into, tape.xs)], "W_hh": [(dA[:, : 3 * H], tape.entering)],
                "b": [(into, ones(dA))], "b_hn": [(q, ones(dA))]}

    def fold(self, w: Params, f: Array, block: str) -> Array:
        H = w["W_hh"].shape[1]
        d = f.T.reshape(f.shape[1], 5, H)
        out = np.empty((f.shape[1], H, w[block].shape[1]))
        if block == "W_ih":
            mix(d[:, (0, 1, 3)], w[block], out)
        else:
            mix(d[:, :3], w[block], out)
            out[:, np.arange(H), np.arange(H)] += d[:, 4]
        return out
