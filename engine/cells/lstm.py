"""The long short-term memory cell (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, final

import numpy as np

from engine.arrays import Array, Params
from engine.cells.base import Cell, LayerTape, Views, by_gate, flat, mix, split
from engine.nonlinear import sigmoid, tanh


@lru_cache(maxsize=64)
def _from_tanh(H: int, N: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Returns what tanh is multiplied by and what is added (4H, N): 0.5 and 0.5 make a sigmoid of it; g stays."""
    factor, shift = np.full((4, H, N), 0.5, dtype), np.full((4, H, N), 0.5, dtype)
    factor[2], shift[2] = 1.0, 0.0
    factor.setflags(write=False)
    shift.setflags(write=False)
    return factor.reshape(4 * H, N), shift.reshape(4 * H, N)


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
    slopes = 6
    highways = (4, 5)
    halved = (0.5, 0.5, 1.0, 0.5)

    def ahead_views(self, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> Views:
        H = s.shape[-2] // 2
        g = slice(2 * H, 3 * H)
        return (s[..., :H, :], s[..., H:, :], pre, pre[..., g, :], act, act[..., :H, :], act[..., H : 2 * H, :],
                act[..., g, :], act[..., 3 * H :, :], extra, out[..., :H, :], out[..., H:, :])

    def ahead(self, w: Params, *views: Array) -> None:
        h, c, pre, pre_g, act, i, f, g, o, tanh_c, new_h, new_c = views
        np.matmul(w["W_hh"], h, out=act)
        pre += act
        sigmoid(pre, out=act)
        tanh(pre_g, out=g)
        np.multiply(f, c, out=new_c)
        np.multiply(i, g, out=tanh_c)
        new_c += tanh_c
        tanh(new_c, out=tanh_c)
        np.multiply(o, tanh_c, out=new_h)

    def quick_views(self, s: Array, pre: Array, scratch: Array, extra: Array, out: Array, parts: int) -> Views:
        H = len(s) // 2
        i, f, g, o = (pre[n * H : (n + 1) * H] for n in range(4))
        return (s[:H], s[H:], pre, split(scratch, parts), scratch, *_from_tanh(H, pre.shape[1], pre.dtype), i, f, g, o,
                extra, out[:H], out[H:])

    def quick(self, w: Params, *views: Array) -> None:
        h, c, pre, product, scratch, factor, shift, i, f, g, o, tanh_c, new_h, new_c = views
        np.matmul(w["W_hh"], h, out=product)
        pre += scratch
        np.tanh(pre, out=pre)
        pre *= factor
        pre += shift
        np.multiply(f, c, out=new_c)
        np.multiply(i, g, out=tanh_c)
        new_c += tanh_c
        np.tanh(new_c, out=tanh_c)
        np.multiply(o, tanh_c, out=new_h)

    def factors(self, tape: LayerTape, out: Array) -> None:
        """Rows: d/di, d/df, d/dg of c'; d/do of h'; dh'/dc'; f."""
        if tape.quick:
            return self._quick_factors(tape, out)
        H = out.shape[1] // 6
        i, f, g, o = (tape.act[:, n * H : (n + 1) * H] for n in range(4))
        di, df, dg, do, through_c, keep = (out[:, n * H : (n + 1) * H] for n in range(6))
        tape.dsigmoid(slice(0, 4 * H), out[:, : 4 * H])
        di *= g
        df *= tape.entering[:, H:]
        tape.dtanh(tape.pre[:, 2 * H : 3 * H], g, i, dg)
        do *= tape.extra
        tape.dtanh(tape.states[:, H:], tape.extra, o, through_c)
        keep[...] = f

    def _quick_factors(self, tape: LayerTape, out: Array) -> None:
        """The same in fewer passes, from outputs: with h' = o * tanh(c'), d/do is (1 - o) h', dh'/dc' is
        o - h' tanh(c'); d/di is (1 - i) (i g), d/dg is i - (i g) g."""
        H = out.shape[1] // 6
        i, f, g, o = (tape.act[:, n * H : (n + 1) * H] for n in range(4))
        di, df, dg, do, through_c, keep = (out[:, n * H : (n + 1) * H] for n in range(6))
        h = tape.states[:, :H]
        np.subtract(1.0, tape.act[:, : 2 * H], out=out[:, : 2 * H])
        np.subtract(1.0, o, out=do)
        do *= h
        np.multiply(i, g, out=dg)
        di *= dg
        dg *= g
        np.subtract(i, dg, out=dg)
        np.multiply(f, tape.entering[:, H:], out=keep)
        df *= keep
        np.multiply(h, tape.extra, out=through_c)
        np.subtract(o, through_c, out=through_c)
        keep[...] = f

    def back_views(self, f: Array, ds: Array, dA: Array, out: Array, parts: int) -> Views:
        H = f.shape[-3]
        dh, dc, gates = ds[..., :H, :, :], ds[..., H:, :, :], by_gate(dA, 4)
        f_o, through_c, keep = (f[..., n, :, :, :] for n in (3, 4, 5))
        return (dh, dc, dc[..., None, :, :, :], f[..., :3, :, :, :], f_o, through_c, keep, gates[..., 0, :, :, :],
                gates[..., :3, :, :, :], gates[..., 3, :, :, :], flat(dA), flat(out[..., :H, :, :], parts),
                out[..., H:, :, :])

    def back(self, w: Params, *views: Array) -> None:
        dh, dc, each_dc, to_gates, to_o, through_c, keep, first, gates, do, record, out_h, out_c = views
        np.multiply(dh, through_c, out=first)
        dc += first
        np.multiply(each_dc, to_gates, out=gates)
        np.multiply(dh, to_o, out=do)
        np.matmul(w["W_hh.T"], record, out=out_h)
        np.multiply(dc, keep, out=out_c)

    def fold(self, w: Params, f: Array, block: str, out: Array) -> None:
        """Rows (dh, dc) -> [d/do W_o; d/di W_i + d/df W_f + d/dg W_g]: half the product of 4H rows."""
        W, H, N = w[block], w["W_hh"].shape[1], f.shape[1]
        np.einsum("nh,hk->nhk", f.T[:, 3 * H : 4 * H], W[3 * H :], out=out[:, :H])
        mix(f.T[:, : 3 * H].reshape(N, 3, H), W[: 3 * H], out[:, H:])

    def prepare(self, f: Array, rows: Array, scratch: Array) -> None:
        H = scratch.shape[-1]
        np.multiply(rows[..., :H], f.T[:, None, 4 * H : 5 * H], out=scratch)
        rows[..., H:] += scratch

    def highway(self, f: Array, rows: Array) -> None:
        H = rows.shape[-1] // 2
        rows[..., H:] *= f.T[:, None, 5 * H :]
