"""The credit matrix, from one batched sweep in which each loss step is a row.

Going back from the last step, a row joins when its loss step is reached; all rows then take the
same step back. Where one would multiply (rows x 4H) by (4H x H), the step's Jacobian is folded once
a step and sample, and the product is (rows x S) @ (S x H): for the LSTM half the arithmetic and a
third of the memory traffic, since the gates' rows are never written out. The rows' h and c stand in
arrays of their own: what is alive is then one run of memory, and NumPy passes over it at full speed.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Params, norm
from engine.cells.base import SMALL
from engine.network import Network, layer_params
from engine.unroll import Tape

FOLDED = 1 << 17  # numbers of the Jacobians that are folded together, at most: they are still in the cache when used
LENGTH = 512  # numbers that a step's factors are repeated to, as NumPy is slow where its inner loops are short
NARROW = 16  # rows: products of fewer are not worth taking apart
TOGETHER = 16  # steps whose norms are taken together, and at most whose Jacobians: a page of new memory costs 1 us
LEAST = 1e-280  # squares below it have lost digits, or all of them
Saved = tuple[int, int, list[Array]]


def credit(network: Network, params: Params, tape: Tape, reset: NDArray[np.bool_],
           loss_steps: NDArray[np.int64]) -> tuple[Array, Array | None]:
    """Returns |dL_s/dh_t| (R, T) and |dL_s/dc_t| (R, T) or None, for the given ascending loss steps.

    Norms run over all layers, are taken per sample and averaged over the batch; 0 for t > s and for
    t before the last reset. The gradient is that of full BPTT along this tape."""
    sweep, T, careful = _Rows(network, params, tape, loss_steps), len(tape.losses), False
    is_row, is_reset = np.zeros(T, bool), reset.tolist()
    is_row[loss_steps] = True
    joins: list[bool] = is_row.tolist()
    out = np.zeros((network.cell.parts, len(loss_steps), T))
    for end in range(loss_steps.max(initial=-1) + 1, 0, -TOGETHER):  # after the last loss there is nothing
        first = max(0, end - TOGETHER)
        before = None if careful else sweep.saved()
        norms = sweep.back(range(first, end), joins, is_reset, careful)
        if norms is None and before is not None:  # squares left double precision's range: once more, and from now on
            careful = True
            sweep.restore(before)
            norms = sweep.back(range(first, end), joins, is_reset, careful)
        out[:, :, first:end] = norms
    return out[0], out[1] if network.cell.parts == 2 else None


class _Rows:
    """The rows of the sweep, latest loss first: per layer (parts, R, B, H), of which `start` to `stop` are alive.
    There is room for passes over whole runs of rows; what these leave in rows that are not alive is not read."""

    def __init__(self, network: Network, params: Params, tape: Tape, loss_steps: NDArray[np.int64]) -> None:
        cell, H, R, B = network.cell, network.hidden, len(loss_steps), tape.dy.shape[2]
        self.cell, self.H, self.start, self.stop = cell, H, 0, 0
        self.layers = [_Layer(network, layer_params(params, layer), kept.factors)
                       for layer, kept in enumerate(tape.layers)]
        self.share, self.all = np.full(B, 1 / B), np.arange(R)
        self.squares = np.empty((TOGETHER, cell.parts, R, B))
        self.tile = max(1, LENGTH // (B * H))
        self.most = SMALL // (H * H)  # rows of a product that is not packed
        self.most = self.most if self.most >= NARROW else R + 1
        shape = (cell.parts, R + self.tile + R // self.most + 1, B, H)
        self.rows = [np.zeros(shape) for _ in self.layers]
        self.products = np.zeros(shape)
        dy = np.swapaxes(tape.dy[loss_steps[::-1]], 1, 2).reshape(R * B, network.outputs)
        self.read = (dy @ params["W_hy"]).reshape(R, B, H)  # what each loss gives to the top layer's h at its own step
        self.rows[-1][0, :R] = self.read

    def join(self) -> None:
        """The next row is alive: the top layer's h has what the loss gives it, and all else nothing."""
        for rows in self.rows:
            rows[1:, self.stop] = 0.0  # h is as it was made, but a pass over a whole run may have been through c
        self.stop += 1

    def end(self) -> None:
        """Nothing crosses a reset: the rows so far are done."""
        self.start = self.stop

    def saved(self) -> Saved:
        """Returns what `restore` needs to go on from here again."""
        return self.start, self.stop, [rows[:, self.start : self.stop].copy() for rows in self.rows]

    def restore(self, saved: Saved) -> None:
        """Goes back to where `saved` was called."""
        self.start, self.stop, alive = saved
        for rows, kept in zip(self.rows, alive, strict=True):
            rows[:, self.start : self.stop] = kept
            rows[0, self.stop :] = 0.0
        self.rows[-1][0, self.stop : len(self.read)] = self.read[self.stop :]

    def back(self, steps: range, joins: list[bool], reset: list[bool], careful: bool) -> Array | None:
        """Takes all rows back through some steps, and returns their norms (parts, R, steps), 0 where they are not
        alive; None where a square left the range in which it has its digits, unless it is to be `careful`."""
        many, ends = len(steps), [(0, 0)] * len(steps)
        squares = self.squares[:many]
        squares.fill(1.0)
        for n in range(many - 1, -1, -1):
            t = steps[n]
            if joins[t]:
                self.join()
            ends[n] = self.start, self.stop
            if self.stop > self.start:
                self.step(t, squares[n, :, self.start : self.stop], careful)
            if reset[t]:
                self.end()
        if not careful and not (squares.min() >= LEAST and squares.max() < np.inf):  # true for NaN
            return None
        norms = squares if careful else np.sqrt(squares)
        start, stop = np.array(ends).T[:, :, None]
        alive = (self.all >= start) & (self.all < stop)
        found = np.where(alive[:, None], norms @ self.share, 0.0)
        return np.asarray(found.transpose(1, 2, 0)[:, ::-1])

    def step(self, t: int, into: Array, careful: bool) -> None:
        """Writes the rows' norms at step t, (parts, alive, B), or unless it is to be `careful` their squares, and takes
        all rows one step back."""
        for layer in range(len(self.layers) - 1, -1, -1):
            rows, now = self.rows[layer], self.layers[layer]
            alive = rows[:, self.start : self.stop]
            if len(rows) == 2:
                through_c, keep = now.at(t, "highways", self.tile)
                h, c, scratch = self._runs(rows[0], rows[1], self.products[0])
                np.multiply(h, through_c, out=scratch)
                c += scratch
            self._measure(alive, into, careful, layer == len(self.layers) - 1)
            if layer:
                below = self.rows[layer - 1][0, self.start : self.stop]
                for product in self._product(rows, now.at(t, "W_ih")):
                    below += product
            back = self._product(rows, now.at(t, "W_hh"))
            if len(rows) == 2:
                c *= keep
                np.add(back[0], back[1], out=alive[0])
            else:
                alive[0] = back[0]

    def _measure(self, alive: Array, into: Array, careful: bool, first: bool) -> None:
        """Adds a layer's norms to those of the layers above."""
        if careful:
            here = norm(alive, -1)
            into[...] = here if first else np.hypot(into, here)
        elif first:
            np.vecdot(alive, alive, out=into)
        else:
            into += np.vecdot(alive, alive)

    def _runs(self, *parts: Array) -> list[Array]:
        """Returns of each part the rows alive, and perhaps a few more, side by side in runs of `tile`."""
        runs = -(-(self.stop - self.start) // self.tile)
        span = slice(self.start, self.start + runs * self.tile)
        return [rows[span].reshape(runs, -1) for rows in parts]

    def _product(self, rows: Array, fold: Array) -> Array:
        """Returns, by parts, the rows alive (parts, n, B, H) times fold (parts, B, H, K): in several products, if
        they are then so small that OpenBLAS takes them without packing."""
        n = self.stop - self.start
        several = -(-n // self.most)
        if several == 1:
            alive = slice(self.start, self.stop)
            np.matmul(rows[:, alive].swapaxes(1, 2), fold, out=self.products[:, alive].swapaxes(1, 2))
            return self.products[:, alive]
        wide = -(-n // several)
        shape = (len(rows), several, wide, *rows.shape[2:])
        span = slice(self.start, self.start + several * wide)
        left, out = (x[:, span].reshape(shape).transpose(0, 3, 1, 2, 4) for x in (rows, self.products))
        np.matmul(left, fold[:, :, None], out=out)
        return self.products[:, self.start : self.stop]


class _Layer:
    """A layer's Jacobians, made for a few steps at a time, on the way back."""

    def __init__(self, network: Network, w: Params, factors: Array) -> None:
        self.cell, self.w, self.factors, self.H = network.cell, w, factors, network.hidden
        self.some = max(1, min(len(factors), TOGETHER, FOLDED // (factors.shape[2] * network.state * self.H)))
        self.rooms: dict[str, Array] = {}
        self.made: defaultdict[str, tuple[int, list[Array]]] = defaultdict(lambda: (0, []))  # first step, each step's

    def at(self, t: int, what: str, tile: int = 1) -> Array:
        """Returns step t's Jacobian of a block, (parts, B, H, K); or its "highways", (2, tile * B * H)."""
        first, made = self.made[what]
        if not first <= t < first + len(made):
            first = t // self.some * self.some
            f = self.factors[first : t + 1]
            made = list(self._highways(f, tile) if what == "highways" else self._folds(f, what))
            self.made[what] = first, made
        return made[t - first]

    def _folds(self, factors: Array, block: str) -> Array:
        """Returns (steps, parts, B, H, K)."""
        steps, F, B = factors.shape
        if block not in self.rooms:  # once: fresh memory is slower than the folding
            self.rooms[block] = np.empty((self.some * B, self.cell.parts * self.H, self.w[block].shape[1]))
        room = self.rooms[block][: steps * B]
        self.cell.fold(self.w, np.swapaxes(factors, 0, 1).reshape(F, steps * B), block, room)
        return np.swapaxes(room.reshape(steps, B, self.cell.parts, self.H, -1), 1, 2)

    def _highways(self, factors: Array, tile: int) -> Array:
        """Returns dh/dc and dc/dc_{t-1} of each step, for all samples of so many rows: (steps, 2, tile * B * H)."""
        slopes = factors.reshape(len(factors), -1, self.H, factors.shape[2])[:, self.cell.highways]
        each = np.swapaxes(slopes, 2, 3).reshape(len(factors), 2, 1, -1)
        return np.asarray(np.repeat(each, tile, axis=2).reshape(len(factors), 2, -1))
