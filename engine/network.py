"""The network around the cells: embedding, stacked layers, linear readout, losses.

Parameter blocks: `E` (V, embedding) where there is an embedding; `l0.W_ih`, `l0.W_hh`, `l0.b`, ...
per layer; `W_hy` (O, H) and `b_y` (O,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, Params, add_rows, columns
from engine.cells import Cell

FEW = 2048


@dataclass(frozen=True)
class Network:
    """The architecture, without its numbers."""

    cell: Cell
    layers: int
    inputs: int  # D, or V for symbols
    hidden: int
    outputs: int
    embedding: int  # 0: inputs go to the first layer as they are
    classify: bool  # cross-entropy over O classes; else squared error over O values

    @property
    def state(self) -> int:
        """S, the rows of one layer's state."""
        return self.cell.parts * self.hidden

    def width(self, layer: int) -> int:
        """Returns the width of a layer's input."""
        return self.hidden if layer else (self.embedding or self.inputs)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns every parameter block and its shape, in their order."""
        out: dict[str, tuple[int, ...]] = {"E": (self.inputs, self.embedding)} if self.embedding else {}
        for layer in range(self.layers):
            blocks = self.cell.shapes(self.width(layer), self.hidden)
            out.update({f"l{layer}.{name}": shape for name, shape in blocks.items()})
        return {**out, "W_hy": (self.outputs, self.hidden), "b_y": (self.outputs,)}


def layer_params(params: Params, layer: int) -> Params:
    """Returns one layer's blocks by their short names."""
    prefix = f"l{layer}."
    return {name[len(prefix) :]: block for name, block in params.items() if name.startswith(prefix)}


def first_inputs(params: Params, xs: Array) -> Array:
    """Returns what the first layer reads: xs (T, D, N) or (T, N) symbols, or its embedding (T, ..., embedding, N)."""
    if "E" not in params:
        return xs
    if xs.ndim == 2:
        return np.ascontiguousarray(np.swapaxes(params["E"][xs], 1, 2))
    E = np.swapaxes(params["E"], -1, -2)
    return np.asarray(np.matmul(E, xs if E.ndim == 2 else xs[:, None]))


def readout(params: Params, h: Array) -> Array:
    """Returns y = W_hy h + b_y for h (T, ..., H, N)."""
    return add_rows(np.matmul(params["W_hy"], h), params["b_y"])


def losses(network: Network, ys: Array, targets: Array) -> Array:
    """Returns the loss at every step and column: ys (T, O, N) -> (T, N), holomorphic in ys.

    -log softmax(y)[target] in nats, for targets (T, N); or half the squared error summed over the
    outputs, for targets (T, O, N)."""
    if network.classify:
        return _surprise(ys, targets)[0]
    return np.asarray(0.5 * np.square(ys - targets).sum(axis=1))


def losses_and_gradients(network: Network, ys: Array, targets: Array) -> tuple[Array, Array]:
    """Returns the losses (T, N) and dL_s/dy (T, O, N), per sample: softmax(y) - onehot, or y - target."""
    if not network.classify:
        dy = ys - targets
        return 0.5 * np.square(dy).sum(axis=1), dy
    found, others = _surprise(ys, targets)
    own = -_total(others)  # p - 1 would have no digits left where p is near 1
    np.put_along_axis(others, targets[:, None], own, 1)
    return found, others


def _surprise(ys: Array, targets: Array) -> tuple[Array, Array]:
    """Returns -log softmax(y)[target] (T, N), and softmax(y) (T, O, N) with the target's own entry 0.

    With d = y - y[target], the loss is log(1 + sum of exp(d) over the others), which keeps its digits
    for a classifier that is almost sure. The shift m, the largest d, is real, so complex y stays holomorphic.
    What is one number a column is repeated first: NumPy would go through runs of N, which are short."""
    index, many = targets[:, None], ys.shape[1]
    own, top = np.take_along_axis(ys, index, 1), _largest(ys.real)
    m = top - own.real
    others = ys - np.repeat(top + (own - own.real), many, axis=1)  # d - m
    np.exp(others, out=others)
    np.put_along_axis(others, index, 0.0, 1)
    total = _total(others)
    found = m + np.log1p(np.expm1(-m) + total)
    others *= np.repeat(1.0 / (np.exp(-m) + total), many, axis=1)
    return found[:, 0], others


def _largest(x: Array) -> Array:
    """(T, O, N) -> (T, 1, N): the maximum over the outputs; by halves, which overlap where they are odd, until few
    numbers are left. NumPy's own, beside few columns, takes longer."""
    while x.size > FEW and x.shape[1] > 1:
        half = (x.shape[1] + 1) // 2
        x = np.maximum(x[:, :half], x[:, -half:])
    return np.asarray(columns(x).max(axis=2)[:, None])


def _total(x: Array) -> Array:
    """(T, O, N) -> (T, 1, N): the sum over the outputs; NumPy's own, beside few columns, takes longer."""
    return np.asarray(np.matmul(np.ones((1, x.shape[1])), x))
