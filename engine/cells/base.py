"""The one abstract Cell: what a recurrent layer computes in one step, forward and backward.

Shapes: H hidden width, D input width, N columns, m tracks of a plan. A layer's state is one array
of S rows: h first (H rows), then c where the cell has one. G rows of pre-activations (a multiple
of H); A rows of gradients of pre-activations, which the backward step leaves behind and from which
every weight gradient follows. Leading axes, if any, are directions of the certificate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from engine.arrays import Array, Params
from engine.nonlinear import dsigmoid, dtanh, sigmoid

Views = tuple[Array, ...]
Terms = dict[str, list[tuple[Array, Array]]]


@dataclass(frozen=True)
class LayerTape:
    """What one layer's forward pass keeps. `states` is after each step, `entering` before it."""

    cell: Cell
    xs: Array  # (T, D, N), or (T, N) symbols
    pre: Array  # (T, G, N) pre-activations
    act: Array  # (T, G, N) activations of the gates
    extra: Array  # (T, X, N) whatever else the cell's backward needs
    entering: Array  # (T, S, N)
    states: Array  # (T, S, N)
    quick: bool = field(default=False, kw_only=True)  # act is pre's memory; derivatives from the gates' outputs

    def part(self, steps: slice, columns: slice) -> LayerTape:
        """Returns the tape of some steps and columns."""
        arrays = (self.xs, self.pre, self.act, self.extra, self.entering, self.states)
        return LayerTape(self.cell, *(x[steps, ..., columns] for x in arrays), quick=self.quick)

    def write_factors(self, now: slice, out: Array) -> None:
        """Writes the `factors` of some steps."""
        arrays = (self.pre, self.act, self.extra, self.entering, self.states)
        self.cell.factors(LayerTape(self.cell, self.xs, *(x[now] for x in arrays), quick=self.quick), out)

    @cached_property
    def factors(self) -> Array:
        """The cell's elementwise derivatives along this tape, computed once for all sweeps."""
        T, S, N = self.states.shape
        out = np.empty((T, self.cell.slopes * S // self.cell.parts, N))
        self.cell.factors(self, out)
        return out

    def dsigmoid(self, rows: slice, out: Array) -> None:
        """Writes the sigmoid gates' derivatives, of these rows."""
        if self.quick:
            np.subtract(1.0, self.act[:, rows], out=out)
            out *= self.act[:, rows]
        else:
            out[...] = dsigmoid(self.pre[:, rows])

    def complement(self, rows: slice, out: Array) -> None:
        """Writes 1 - gate, of these rows of sigmoid gates."""
        if self.quick:
            np.subtract(1.0, self.act[:, rows], out=out)
        else:
            sigmoid(-self.pre[:, rows], out=out)

    def dtanh(self, before: Array, after: Array, times: Array | float, out: Array) -> None:
        """Writes tanh's derivative times something; `after` is tanh(before)."""
        if self.quick:
            np.square(after, out=out)
            np.subtract(1.0, out, out=out)
            out *= times
        else:
            np.multiply(times, dtanh(before), out=out)


class Cell(ABC):
    """One recurrent cell. Stateless; its equations stand in each subclass' docstring."""

    name: str
    gates: int  # G = gates * H
    parts: int = 1  # S = parts * H: 2 where there is a c beside h
    records: int  # A = records * H
    extras: int = 0  # X = extras * H
    slopes: int  # F = slopes * H
    highways: tuple[int, ...] = ()  # of the slopes, for a cell with a c: dh'/dc' and dc'/dc
    whole: bool = True  # a step's product with W_hh is one, which may be taken in parts
    halved: tuple[float, ...] = ()  # by gate: 0.5 for a sigmoid, 1 for tanh; empty where `quick` needs no such weights

    def shapes(self, D: int, H: int) -> dict[str, tuple[int, ...]]:
        """Returns the parameter blocks of a layer and their shapes."""
        G = self.gates * H
        return {"W_ih": (G, D), "W_hh": (G, H), "b": (G,)}

    def forward(self, w: Params, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> None:
        """One step. `pre` (..., G, N) comes in as W_ih x + b; act, extra and out (..., S, N) are written."""
        self.ahead(w, *self.ahead_views(s, pre, act, extra, out))

    @abstractmethod
    def ahead_views(self, s: Array, pre: Array, act: Array, extra: Array, out: Array) -> Views:
        """Returns the parts of a step's arrays that `ahead` works on: cut once where a step is run often."""

    @abstractmethod
    def ahead(self, w: Params, *views: Array) -> None:
        """One step, on the views of its arrays."""

    @abstractmethod
    def quick_views(self, s: Array, pre: Array, scratch: Array, extra: Array, out: Array, parts: int) -> Views:
        """Returns what `quick` works on. scratch (G, N) is for all steps; the rows of W_hh stand in so many parts."""

    @abstractmethod
    def quick(self, w: Params, *views: Array) -> None:
        """The same step in fewer passes, for training: the gates' activations take pre's place. A sigmoid is
        (1 + tanh(a / 2)) / 2, and the halving is in the weights already: `halved`."""

    @abstractmethod
    def factors(self, tape: LayerTape, out: Array) -> None:
        """Writes (T, F, N): the elementwise derivatives that the backward steps multiply by."""

    def backward(self, w: Params, f: Array, ds: Array, dA: Array, out: Array) -> None:
        """One step back. f (F/H, H, 1, N); ds (S, m, N) is dL/ds_t with h_t and c_t taken as independent:
        its c rows become dL/dc_t through h_t too (what autograd calls the gradient of c_t); dA (A, m, N)
        and out (S, m, N) = dL/ds_{t-1} are written."""
        self.back({**w, "W_hh.T": w["W_hh"].T}, *self.back_views(f, ds, dA, out, 1))

    @abstractmethod
    def back_views(self, f: Array, ds: Array, dA: Array, out: Array, parts: int) -> Views:
        """Returns the parts of a step's arrays that `back` works on; the rows of W_hh^T stand in so many parts.
        Leading axes, if any, are steps, and plans that are swept side by side."""

    @abstractmethod
    def back(self, w: Params, *views: Array) -> None:
        """One step back, on the views of its arrays. `w` has "W_hh.T" too."""

    def input_side(self, dA: Array, axis: int) -> Array:
        """Returns the gradient of W_ih x + b, (..., G, ...), from the record dA along `axis`."""
        return dA

    def terms(self, tape: LayerTape, dA: Array) -> Terms:
        """Returns, per block, pairs (left (T, P, N), right (T, Q, N)): the block's gradient is the
        pairs' sums over t and n of left * right, stacked; one term of the sum is one step's share.
        A side of (T, N) symbols stands for their one-hot columns."""
        return {"W_ih": [(dA, tape.xs)], "W_hh": [(dA, tape.entering[:, : dA.shape[1] // self.records])],
                "b": [(dA, ones(dA))]}

    @abstractmethod
    def fold(self, w: Params, f: Array, block: str, out: Array) -> None:
        """Writes the step's Jacobian for rows of dL/ds_t that `prepare` has changed: (N, S, H) to
        dh_{t-1} for block "W_hh", (N, S, D) to dx_t for block "W_ih". f is (F, N); its columns may be of several
        steps."""

    def folded(self, w: Params, f: Array, block: str) -> Array:
        """Returns what `fold` writes."""
        out = np.empty((f.shape[1], self.parts * w["W_hh"].shape[1], w[block].shape[1]))
        self.fold(w, f, block, out)
        return out

    def prepare(self, f: Array, rows: Array, scratch: Array) -> None:
        """Changes rows (N, R, S) of dL/ds_t in place into what `fold`'s matrices take: dL/dc_t now through
        h_t too. scratch is (N, R, H)."""
        return None  # only a cell with a c has anything to do

    def highway(self, f: Array, rows: Array) -> None:
        """Changes, in place, the prepared rows' c part into dL/dc_{t-1}, for cells with a c."""
        return None


def ones(like: Array) -> Array:
    """Returns (T, 1, N) ones: the input of a bias."""
    return _ones(like.shape[0], like.shape[2], like.dtype)


@lru_cache(maxsize=8)
def _ones(T: int, N: int, dtype: np.dtype[Any]) -> Array:
    """Made once, so that all terms of a tape share them."""
    out = np.ones((T, 1, N), dtype)
    out.setflags(write=False)
    return out


def mix(f: Array, W: Array, out: Array) -> None:
    """Writes sum over g of diag(f_g) W_g to out (N, H, K), for f (N, g, H) and W (g*H, K): a small
    product for each of the H rows."""
    gates, H = f.shape[1:]
    stacked = W.reshape(gates, H, -1)
    np.matmul(f.transpose(2, 0, 1), stacked.transpose(1, 0, 2), out=out.transpose(1, 0, 2))


def blend(z: Array, s: Array, n: Array, out: Array) -> None:
    """Writes z * s + (1 - z) * n to out, as n + z * (s - n)."""
    np.subtract(s, n, out=out)
    out *= z
    out += n


def sigmoid_of_half(a: Array) -> None:
    """Turns a / 2 into sigmoid(a), in place."""
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5


def flat(x: Array, parts: int = 1) -> Array:
    """Returns (..., P, m, N) as (..., P, m*N), so that one product takes all tracks; its rows in parts."""
    return split(x.reshape(*x.shape[:-2], -1), parts)


def by_gate(x: Array, gates: int) -> Array:
    """Returns (..., gates*H, m, N) as (..., gates, H, m, N), without a copy."""
    return x.reshape(*x.shape[:-3], gates, -1, *x.shape[-2:])


SMALL = 1_000_000  # multiply-adds up to which OpenBLAS takes a product without packing it first


def parts_of(rows: int, inner: int, columns: int) -> int:
    """Returns in how many parts the rows of a product are best taken: four, where these are small and it is not."""
    return 4 if rows % 4 == 0 and SMALL < rows * inner * columns <= 4 * SMALL else 1


def split(x: Array, parts: int) -> Array:
    """Returns (..., P, Q) as (..., parts, P / parts, Q), without a copy."""
    return x if parts == 1 else x.reshape(*x.shape[:-2], parts, -1, x.shape[-1])
