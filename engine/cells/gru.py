"""The gated recurrent unit, reset gate after the product (cuDNN's and PyTorch's form)."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, Terms, Views, blend, by_gate, flat, mix, ones, sigmoid_of_half, split
from engine.nonlinear import interpolate, sigmoid, tanh


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
    slopes = 5
    halved = (0.5, 0.5, 1.0)

    def shapes(self, D: int, H: int) -> dict[str, tuple[int, ...]]:
        return {**super().shapes(D, H), "b_hn": (H,)}

    def ahead_views(self, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> Views:
        H = s.shape[-2]
        rz, z, n = slice(0, 2 * H), slice(H, 2 * H), slice(2 * H, 3 * H)
        return (s, pre[..., rz, :], pre[..., z, :], pre[..., n, :], act, act[..., rz, :], act[..., :H, :],
                act[..., z, :], act[..., n, :], extra, out)

    def ahead(self, w: Params, *views: Array) -> None:
        s, pre_rz, pre_z, pre_n, act, rz, r, z, n, q, out = views
        np.matmul(w["W_hh"], s, out=act)
        pre_rz += rz
        np.add(n, w["b_hn"][..., None], out=q)
        sigmoid(pre_rz, out=rz)
        np.multiply(r, q, out=n)
        pre_n += n
        tanh(pre_n, out=n)
        interpolate(z, sigmoid(-pre_z), s, n, out)

    def quick_views(self, s: Array, pre: Array, scratch: Array, extra: Array, out: Array, parts: int) -> Views:
        H = len(s)
        return (s, pre[: 2 * H], pre[:H], pre[H : 2 * H], pre[2 * H :], split(scratch, parts), scratch[: 2 * H],
                scratch[2 * H :], extra, out)

    def quick(self, w: Params, *views: Array) -> None:
        s, rz, r, z, n, scratch, product_rz, product_n, q, out = views
        np.matmul(w["W_hh"], s, out=scratch)
        rz += product_rz
        sigmoid_of_half(rz)
        np.add(product_n, w["b_hn"][:, None], out=q)
        np.multiply(r, q, out=product_n)
        n += product_n
        np.tanh(n, out=n)
        blend(z, s, n, out)

    def factors(self, tape: LayerTape, out: Array) -> None:
        """Rows: dr, dz, dq, dn for a unit dh'; then z."""
        H = out.shape[1] // 5
        r, z, n = (tape.act[:, g * H : (g + 1) * H] for g in range(3))
        dr, dz, dq, dn, keep = (out[:, g * H : (g + 1) * H] for g in range(5))
        tape.dsigmoid(slice(0, 2 * H), out[:, : 2 * H])
        tape.complement(slice(H, 2 * H), keep)
        tape.dtanh(tape.pre[:, 2 * H :], n, keep, dn)
        np.multiply(dn, tape.extra, out=dq)
        dr *= dq
        np.subtract(tape.entering, n, out=keep)
        dz *= keep
        np.multiply(dn, r, out=dq)
        keep[...] = z

    def back_views(self, f: Array, ds: Array, dA: Array, out: Array, parts: int) -> Views:
        H = f.shape[-3]
        return (ds[..., None, :, :, :], f[..., :4, :, :, :], ds, f[..., 4, :, :, :], by_gate(dA, 4),
                flat(dA[..., : 3 * H, :, :]), flat(out, parts), out)

    def back(self, w: Params, *views: Array) -> None:
        each_ds, to_gates, ds, keep, gates, record, product, out = views
        np.multiply(each_ds, to_gates, out=gates)
        np.matmul(w["W_hh.T"], record, out=product)
        out += ds * keep

    def input_side(self, dA: Array, axis: int) -> Array:
        r, z, _, n = np.split(dA, 4, axis=axis)
        return np.concatenate((r, z, n), axis=axis)

    def terms(self, tape: LayerTape, dA: Array) -> Terms:
        H = dA.shape[1] // 4
        into, q = self.input_side(dA, 1), dA[:, 2 * H : 3 * H]
        return {"W_ih": [(into, tape.xs)], "W_hh": [(dA[:, : 3 * H], tape.entering)],
                "b": [(into, ones(dA))], "b_hn": [(q, ones(dA))]}

    def fold(self, w: Params, f: Array, block: str, out: Array) -> None:
        H = w["W_hh"].shape[1]
        d = f.T.reshape(f.shape[1], 5, H)
        if block == "W_ih":
            mix(d[:, (0, 1, 3)], w[block], out)
        else:
            mix(d[:, :3], w[block], out)
            out[:, np.arange(H), np.arange(H)] += d[:, 4]
