"""The credit matrix, from one batched sweep in which each loss step is a row.

Going back from the last step, a row joins when its loss step is reached; all rows then take the
same step back. Where one would multiply (rows x 4H) by (4H x H), the step's Jacobian is folded once
a step and sample, and the product is (rows x S) @ (S x H): for the LSTM half the arithmetic and a
third of the memory traffic, since the gates' rows are never written out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Params, norm
from engine.network import Network, layer_params
from engine.unroll import Tape


def credit(network: Network, params: Params, tape: Tape, reset: NDArray[np.bool_],
           loss_steps: NDArray[np.int64]) -> tuple[Array, Array | None]:
    """Returns |dL_s/dh_t| (R, T) and |dL_s/dc_t| (R, T) or None, for the given ascending loss steps.

    Norms run over all layers, are taken per sample and averaged over the batch; 0 for t > s and for
    t before the last reset. The gradient is that of full BPTT along this tape."""
    sweep = _Rows(network, params, tape, len(loss_steps))
    is_row = np.zeros(len(tape.losses), bool)
    is_row[loss_steps] = True
    out = np.zeros((network.cell.parts, len(loss_steps), len(is_row)))
    for t in range(len(is_row) - 1, -1, -1):
        if is_row[t]:
            sweep.join(tape.dy[t])
        if sweep.alive.stop > sweep.alive.start:
            last = len(loss_steps) - sweep.alive.start
            out[:, len(loss_steps) - sweep.alive.stop : last, t] = sweep.step(t)[::-1].T
        if reset[t]:
            sweep.end()
    return out[0], out[1] if network.cell.parts == 2 else None


class _Rows:
    """The rows of the sweep, latest loss first: per layer (B, R, S), of which a slice is alive."""

    def __init__(self, network: Network, params: Params, tape: Tape, R: int) -> None:
        B = tape.losses.shape[1]
        self.cell, self.H, self.alive = network.cell, network.hidden, slice(0, 0)
        self.w = [layer_params(params, layer) for layer in range(network.layers)]
        self.W_hy = params["W_hy"]
        self.factors = [layer.factors for layer in tape.layers]
        self.rows = [np.zeros((B, R, network.state)) for _ in self.w]
        self.scratch = np.empty(B * R * self.H)

    def join(self, dy: Array) -> None:
        """A new row: the loss at this step, (O, B)."""
        new = self.alive.stop
        self.rows[-1][:, new, : self.H] = dy.T @ self.W_hy
        self.alive = slice(self.alive.start, new + 1)

    def end(self) -> None:
        """Nothing crosses a reset: the rows so far are done."""
        self.alive = slice(self.alive.stop, self.alive.stop)

    def step(self, t: int) -> Array:
        """Returns the rows' norms at step t, (alive, parts), and takes all rows one step back."""
        norms: Array | None = None
        for layer in range(len(self.w) - 1, -1, -1):
            rows, f = self.rows[layer][:, self.alive], self.factors[layer][t]
            scratch = self.scratch[: rows.size // self.cell.parts].reshape(*rows.shape[:2], self.H)
            self.cell.prepare(f, rows, scratch)
            here = row_norms(rows.reshape(*rows.shape[:2], -1, self.H))
            norms = here if norms is None else np.hypot(norms, here)
            if layer:
                into = self.cell.fold(self.w[layer], f, "W_ih")
                self.rows[layer - 1][:, self.alive, : self.H] += np.matmul(rows, into, out=scratch)
            np.matmul(rows, self.cell.fold(self.w[layer], f, "W_hh"), out=scratch)
            self.cell.highway(f, rows)
            rows[..., : self.H] = scratch
        return np.asarray(np.mean(norms, axis=0))  # type: ignore[arg-type]


def row_norms(rows: Array) -> Array:
    """Returns the norm over the last axis in one pass; again, and scaled, where squares would underflow."""
    squares: Array = np.vecdot(rows, rows)
    if squares.min(initial=np.inf) < 1e-280 or not np.isfinite(squares).all():
        return norm(rows, -1)
    return np.asarray(np.sqrt(squares))
