"""The gated recurrent unit as first published: the reset gate before the product (Cho et al. 2014)."""

from __future__ import annotations

from typing import final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, Terms, Views, blend, by_gate, flat, ones, sigmoid_of_half
from engine.nonlinear import interpolate, sigmoid, tanh


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
    slopes = 5
    whole = False
    halved = (0.5, 0.5, 1.0)

    def ahead_views(self, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> Views:
        H = s.shape[-2]
        rz, z, n = slice(0, 2 * H), slice(H, 2 * H), slice(2 * H, 3 * H)
        return (s, pre[..., rz, :], pre[..., z, :], pre[..., n, :], act[..., rz, :], act[..., :H, :],
                act[..., z, :], act[..., n, :], extra, out)

    def ahead(self, w: Params, *views: Array) -> None:
        s, pre_rz, pre_z, pre_n, rz, r, z, n, gated, out = views
        H, W = s.shape[-2], w["W_hh"]
        np.matmul(W[..., : 2 * H, :], s, out=rz)
        pre_rz += rz
        sigmoid(pre_rz, out=rz)
        np.multiply(r, s, out=gated)
        np.matmul(W[..., 2 * H :, :], gated, out=n)
        pre_n += n
        tanh(pre_n, out=n)
        interpolate(z, sigmoid(-pre_z), s, n, out)

    def quick_views(self, s: Array, pre: Array, scratch: Array, extra: Array, out: Array, parts: int) -> Views:
        H = len(s)
        return (s, pre[: 2 * H], pre[:H], pre[H : 2 * H], pre[2 * H :], scratch[: 2 * H], scratch[2 * H :], extra, out)

    def quick(self, w: Params, *views: Array) -> None:
        s, rz, r, z, n, product_rz, product_n, gated, out = views
        H, W = len(s), w["W_hh"]
        np.matmul(W[: 2 * H], s, out=product_rz)
        rz += product_rz
        sigmoid_of_half(rz)
        np.multiply(r, s, out=gated)
        np.matmul(W[2 * H :], gated, out=product_n)
        n += product_n
        np.tanh(n, out=n)
        blend(z, s, n, out)

    def factors(self, tape: LayerTape, out: Array) -> None:
        """Rows: dr for a unit v; dz, dn for a unit dh'; r; z."""
        H = out.shape[1] // 5
        n = tape.act[:, 2 * H :]
        dr, dz, dn, keep = (out[:, g * H : (g + 1) * H] for g in range(4))
        tape.dsigmoid(slice(0, 2 * H), out[:, : 2 * H])
        dr *= tape.entering
        np.subtract(tape.entering, n, out=keep)
        dz *= keep
        tape.complement(slice(H, 2 * H), keep)
        tape.dtanh(tape.pre[:, 2 * H :], n, keep, dn)
        out[:, 3 * H :] = tape.act[:, : 2 * H]

    def back_views(self, f: Array, ds: Array, dA: Array, out: Array, parts: int) -> Views:
        H = f.shape[-3]
        to_r, r, z = (f[..., n, :, :, :] for n in (0, 3, 4))
        drz, dzn, dn = dA[..., : 2 * H, :, :], by_gate(dA[..., H:, :, :], 2), dA[..., 2 * H :, :, :]
        return (ds, ds[..., None, :, :, :], to_r, f[..., 1:3, :, :, :], r, z, dA[..., :H, :, :], dzn, flat(dn),
                flat(drz), flat(out), out)

    def back(self, w: Params, *views: Array) -> None:
        ds, each_ds, to_r, to_zn, r, z, dr, dzn, dn, drz, product, out = views
        H, W = ds.shape[-3], w["W_hh"]
        np.multiply(each_ds, to_zn, out=dzn)
        v = (W[2 * H :].T @ dn).reshape(ds.shape)
        np.multiply(v, to_r, out=dr)
        np.matmul(W[: 2 * H].T, drz, out=product)
        v *= r
        out += v
        out += ds * z

    def terms(self, tape: LayerTape, dA: Array) -> Terms:
        H = dA.shape[1] // 3
        return {"W_ih": [(dA, tape.xs)], "b": [(dA, ones(dA))],
                "W_hh": [(dA[:, : 2 * H], tape.entering), (dA[:, 2 * H :], tape.extra)]}

    def fold(self, w: Params, f: Array, block: str, out: Array) -> None:
        H = w["W_hh"].shape[1]
        dr, dz, dn, r, z = np.moveaxis(f.T.reshape(f.shape[1], 5, H, 1), 1, 0)
        W_r, W_z, W_n = w[block].reshape(3, H, -1)
        v = dn * w["W_hh"][2 * H :]  # dh' -> v
        to_dr = v * np.swapaxes(dr, 1, 2)  # dh' -> dr
        np.matmul(to_dr, W_r, out=out)
        out += dz * W_z
        if block == "W_ih":
            out += dn * W_n
        else:
            out += v * np.swapaxes(r, 1, 2)
            out[:, np.arange(H), np.arange(H)] += z[..., 0]
