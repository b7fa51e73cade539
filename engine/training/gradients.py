"""Weight gradients of a window: every block in one product over all steps and columns, written where it belongs."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, Params
from engine.cells import LayerTape
from engine.network import Network, layer_params
from engine.symbols import symbol_gradients


class Sums:
    """What turns a sweep's records into gradients of the recurrent layers' blocks."""

    def __init__(self, network: Network, frozen: bool) -> None:
        self.network, self.skipped = network, ("W_hh", "b_hn") if frozen else ()

    def write(self, params: Params, tapes: tuple[LayerTape, ...], records: list[Array], into: Params) -> None:
        """Writes the gradient of every block but the readout's; a frozen recurrence has zeros."""
        for layer, (kept, dA) in enumerate(zip(tapes, records, strict=True)):
            self._layer(params, layer, kept, dA[: len(kept.xs)], into)

    def _layer(self, params: Params, layer: int, kept: LayerTape, dA: Array, into: Params) -> None:
        seen: dict[int, Array] = {}
        for name, pairs in self.network.cell.terms(kept, dA).items():
            out = into[f"l{layer}.{name}"]
            if name in self.skipped:
                continue
            if name == "W_ih" and kept.xs.ndim == 2:
                dW = _flat(pairs[0][0], seen)
                symbol_gradients(layer_params(params, layer), params.get("E"), kept.xs, dW, out, into.get("E"))
                continue
            rows = 0
            for left, right in pairs:
                top = out[rows : rows + left.shape[1]]
                np.matmul(_flat(left, seen), _flat(right, seen).T, out=top.reshape(left.shape[1], -1))
                rows += left.shape[1]


def _flat(x: Array, seen: dict[int, Array]) -> Array:
    """(T, P, N) -> (P, T*N), copied in runs of N; once for each array."""
    if id(x) not in seen:
        seen[id(x)] = np.swapaxes(x, 0, 1).reshape(x.shape[1], -1)
    return seen[id(x)]
