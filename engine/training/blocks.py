"""All parameter blocks as views of one flat array, so that clipping and the optimiser take them in one pass."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import DTypeLike

from engine.arrays import Array, Params
from engine.network import Network

HELD = (".W_hh", ".b_hn")  # what a frozen strategy keeps as it was drawn


class Blocks:
    """A flat array, and its views by the blocks' names in the network's order."""

    def __init__(self, network: Network, dtype: DTypeLike) -> None:
        shapes = network.shapes()
        self.flat = np.zeros(sum(map(prod, shapes.values())), dtype)
        self.views: Params = {}
        start = 0
        for name, shape in shapes.items():
            self.views[name] = self.flat[start : start + prod(shape)].reshape(shape)
            start += prod(shape)

    def load(self, params: Params) -> None:
        """Copies the numbers of every block."""
        for name, view in self.views.items():
            view[...] = params[name]

    def held(self) -> list[Array]:
        """Returns the blocks of the recurrence."""
        return [view for name, view in self.views.items() if name.endswith(HELD)]
