"""Credit in a band: what a loss sends back over its last few lags, for many losses at once.

Going through the segments from the last to the first, a loss joins at its own segment, with a column for each
sample. All columns take a step back together, each at its own place; a column is done after `band` lags, at a
reset or at step 0, and waits for the segment before where it leaves its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, Bools, norm
from engine.experiment import Setting
from engine.long.bins import bin_size, starts_of
from engine.long.view import BandedCredit
from engine.network import layer_params
from engine.unroll import Tape

BAND = 64  # lags
MOST_COLUMNS = 16_384  # losses times samples; of more losses every n-th is taken


@dataclass
class Columns:
    """Losses on their way back."""

    at: Array  # (C,) the step at which each is
    lag: Array  # (C,)
    bin: Array  # (C,) of its loss
    ds: list[Array]  # per layer (S, C, B)

    def some(self, which: Bools) -> Columns:
        """Returns those that are marked."""
        return Columns(self.at[which], self.lag[which], self.bin[which], [ds[:, which] for ds in self.ds])


class Banded:
    """The sweep of a long sequence's band."""

    def __init__(self, x: Setting) -> None:
        T, B = len(x.counts), x.initial[0].shape[1]
        losses = np.flatnonzero(x.counts)
        self.x, self.network, self.band = x, x.network, min(BAND, T)
        self.every = -(-len(losses) * B // MOST_COLUMNS)
        self.losses, self.size = losses[:: self.every], bin_size(T)
        self.sums, self.hits = np.zeros((2, len(starts_of(T)), self.band))
        self.waiting: Columns | None = None
        self.w = [layer_params(x.params, layer) for layer in range(x.network.layers)]

    def back(self, steps: range, tape: Tape, reset: Bools) -> None:
        """Takes a segment, the one before the last that was taken."""
        columns = self._joined(steps, tape)
        gone: list[Columns] = []
        while len(columns.at):
            here = columns.at - steps.start
            self._count(columns, self._step(columns, tape, here))
            columns.at, columns.lag = columns.at - 1, columns.lag + 1
            alive = (columns.lag < self.band) & ~reset[here] & (columns.at >= 0)
            inside = columns.at >= steps.start
            gone.append(columns.some(alive & ~inside))
            columns = columns.some(alive & inside)
        self.waiting = _together(gone) if gone else None  # None: no loss in this segment, and none came to it

    def found(self) -> BandedCredit:
        """Returns what was found, after the first segment."""
        with np.errstate(invalid="ignore"):
            return BandedCredit(self.band, self.every, self.sums / self.hits)

    def _joined(self, steps: range, tape: Tape) -> Columns:
        """Returns the columns that begin in this segment, and those that come from the later one."""
        at = self.losses[(self.losses >= steps.start) & (self.losses < steps.stop)]
        S, H, B = self.network.state, self.network.hidden, tape.losses.shape[1]
        ds = [np.zeros((S, len(at), B)) for _ in self.w]
        ds[-1][:H] = np.moveaxis(np.matmul(self.x.params["W_hy"].T, tape.dy[at - steps.start]), 0, 1)
        new = Columns(at, np.zeros_like(at), at // self.size, ds)
        return _together([new] if self.waiting is None else [self.waiting, new])

    def _step(self, columns: Columns, tape: Tape, here: Array) -> Array:
        """Returns |dL/dh| of each column at its step, averaged over the samples, and takes it one step back."""
        cell, H, (C, B) = self.network.cell, self.network.hidden, columns.ds[0].shape[1:]
        size: Array = np.zeros((C, B))
        for layer in range(len(self.w) - 1, -1, -1):
            ds = columns.ds[layer].reshape(-1, 1, C * B)
            size = np.hypot(size, norm(columns.ds[layer][:H], 0))
            f = np.moveaxis(tape.layers[layer].factors[here], 0, 1).reshape(-1, H, 1, C * B)
            dA, out = np.empty((cell.records * H, 1, C * B)), np.empty_like(ds)
            cell.backward(self.w[layer], f, ds, dA, out)
            if layer:
                into = self.w[layer]["W_ih"].T @ cell.input_side(dA[:, 0], 0)
                columns.ds[layer - 1][:H] += into.reshape(H, C, B)
            columns.ds[layer] = out.reshape(-1, C, B)
        return np.asarray(size.mean(axis=1))

    def _count(self, columns: Columns, size: Array) -> None:
        np.add.at(self.sums, (columns.bin, columns.lag), size)
        np.add.at(self.hits, (columns.bin, columns.lag), 1.0)


def _together(parts: list[Columns]) -> Columns:
    """Returns columns side by side; there is at least one part."""
    layers = range(len(parts[0].ds))
    at, lag, bins = (np.concatenate([getattr(part, name) for part in parts]) for name in ("at", "lag", "bin"))
    return Columns(at, lag, bins,
                   [np.concatenate([part.ds[layer] for part in parts], axis=1) for layer in layers])
