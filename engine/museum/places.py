"""Where in the series a loss looks: credit by place in the text, for windows in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, Bools, Params
from engine.credit import credit
from engine.museum.streams import NETWORK, Layout, bits, forward, indices

COUNT, K, BATCH = 4, 5, 2
PLACES = COUNT * K * BATCH


@dataclass(frozen=True)
class Looks:
    """Where the losses of a short series look, by place."""

    values: Array  # (PLACES, PLACES): how much the loss at a place depends on the state after another place
    continued: Bools  # (PLACES, PLACES): everything between the two was read in between, in order

    @property
    def elsewhere(self) -> float:
        """The share of the dependence beyond a loss' window that is on places which it does not continue."""
        window = np.arange(PLACES) // K
        beyond = window[:, None] != window[None, :]
        return float(self.values[beyond & ~self.continued].sum() / self.values[beyond].sum())


def looks(params: Params, layout: Layout) -> Looks:
    """Returns where the losses look in a layout, with the state carried from window to window and nothing detached."""
    read, targets = bits(PLACES, seed=7)
    values, continued = np.zeros((PLACES, PLACES)), np.zeros((PLACES, PLACES), bool)
    for row in indices(layout, COUNT, K, BATCH).transpose(2, 0, 1).reshape(BATCH, -1):
        tape = forward(params, read[row][:, None], targets[row][:, None], np.zeros((NETWORK.hidden, 1)))
        steps, square = np.arange(len(row)), np.ix_(row, row)
        values[square] = credit(NETWORK, params, tape, np.zeros(len(row), bool), steps)[0]
        broken = np.cumsum(np.diff(row, prepend=row[0] - 1) != 1)
        continued[square] = broken[:, None] == broken[None, :]
    return Looks(values, continued)
