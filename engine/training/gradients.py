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
        self.room: dict[tuple[int, int], Array] = {}

    def write(self, params: Params, tapes: tuple[LayerTape, ...], records: list[Array], into: Params) -> None:
        """Writes the gradient of every block but the readout's; a frozen recurrence has zeros."""
        for layer, (kept, dA) in enumerate(zip(tapes, records, strict=True)):
            self._layer(params, layer, kept, dA[: len(kept.xs)], into)

    def _layer(self, params: Params, layer: int, kept: LayerTape, dA: Array, into: Params) -> None:
        flat = _Flat(self.room)
        for name, pairs in self.network.cell.terms(kept, dA).items():
            out = into[f"l{layer}.{name}"]
            if name in self.skipped:
                continue
            if name == "W_ih" and kept.xs.ndim == 2:
                record = flat(pairs[0][0])
                symbol_gradients(layer_params(params, layer), params.get("E"), kept.xs, record, out, into.get("E"))
                continue
            first = 0
            for left, right in pairs:
                end = first + left.shape[1]
                np.matmul(flat(left), flat(right).T, out=out[first:end].reshape(left.shape[1], -1))
                first = end


class _Flat:
    """(T, P, N) -> (P, T*N), copied in runs of N: once for each array, into rooms that are kept."""

    def __init__(self, room: dict[tuple[int, int], Array]) -> None:
        self.room, self.seen = room, {}  # type: tuple[dict[tuple[int, int], Array], dict[int, Array]]

    def __call__(self, x: Array) -> Array:
        if id(x) not in self.seen:
            self.seen[id(x)] = self._copy(x)
        return self.seen[id(x)]

    def _copy(self, x: Array) -> Array:
        T, P, N = x.shape
        if N == 1 or x.strides[0] == N * x.itemsize:
            return np.swapaxes(x, 0, 1).reshape(P, T * N)  # no copy
        key = (len(self.seen), P)
        if key not in self.room or self.room[key].size < x.size:
            self.room[key] = np.empty(x.size, x.dtype)
        out = self.room[key][: x.size].reshape(P, T, N)
        out[...] = np.swapaxes(x, 0, 1)
        return out.reshape(P, T * N)
