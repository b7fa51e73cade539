"""A block's gradient as a sum of terms, one a step: the sum, and the norm of each step's term.

A term is a sum over columns of left * right; a side of symbols, (T, N), stands for their one-hot columns.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.arrays import Array, norm
from engine.symbols import columns_of, sums_of

Pairs = list[tuple[Array, Array]]
Place = tuple[object, ...]


class Once:
    """What is made of an array once, however many terms it stands in: views of the same memory count as one. What
    `known` has made is taken from there."""

    def __init__(self, make: Callable[[Array], Array], known: Once | None = None) -> None:
        self.make, self.known, self.made = make, known, dict[Place, tuple[Array, Array]]()

    def __call__(self, x: Array) -> Array:
        place = _place(x)
        if self.known is not None and place in self.known.made:
            return self.known.made[place][1]
        if place not in self.made:
            self.made[place] = x, self.make(x)  # holds x, so that nothing else takes its place
        return self.made[place][1]


def same(pairs: Pairs, others: Pairs) -> bool:
    """Returns whether they are the same terms: the same memory on both sides."""
    return len(pairs) == len(others) and all(
        _place(x) == _place(y) for pair, other in zip(pairs, others, strict=True)
        for x, y in zip(pair, other, strict=True))


def summed(pairs: Pairs, shape: tuple[int, ...], flat: Once) -> Array:
    """Returns the sum over steps and columns of left * right, in one product a pair. `flat` makes `flattened`."""
    parts = [_product(left, right, shape, flat) for left, right in pairs]
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).reshape(shape)


def _product(left: Array, right: Array, shape: tuple[int, ...], flat: Once) -> Array:
    if left.ndim == 2:
        return sums_of(flat(right), left, shape[0])
    if right.ndim == 2:
        return np.ascontiguousarray(sums_of(flat(left), right, shape[1]).T)
    return np.asarray(flat(left).T @ flat(right))


def flattened(x: Array) -> Array:
    """(T, P, N) -> (T*N, P); no copy where N is 1."""
    return np.swapaxes(x, 1, 2).reshape(-1, x.shape[1])


def gram(x: Array) -> Array:
    """(T, P, N) -> (T, N, N): each step's products of columns. Two symbols' is 1 where they are the same."""
    if x.ndim == 2:
        return np.asarray(x[:, :, None] == x[:, None, :], float)
    return np.asarray(np.matmul(np.swapaxes(x, 1, 2), x))


def step_norms(pairs: Pairs, grams: Once) -> Array:
    """Returns (T,): the norm of each step's term. `grams` makes `gram`."""
    return np.asarray(np.hypot.reduce([_product_norm(left, right, grams) for left, right in pairs], axis=0))


def _product_norm(left: Array, right: Array, grams: Once) -> Array:
    """(T,): |sum_n l_n r_n^T|, from |.|^2 = sum_{n,n'} (l_n . l_n')(r_n . r_n'): two small Gram products
    a step. Steps at which that would lose digits, because samples cancel or squares leave the range of
    double precision, are multiplied out; all are where a step's matrix has fewer entries than columns have products."""
    if left.ndim == right.ndim == 3 and left.shape[1] * right.shape[1] < left.shape[2] ** 2:
        return norm(np.matmul(left, np.swapaxes(right, 1, 2)).reshape(len(left), -1), 1)
    both = (grams(left) * grams(right)).reshape(len(left), -1)
    squares, size = both.sum(axis=1), np.abs(both).sum(axis=1)
    out = np.sqrt(np.maximum(squares, 0.0))
    sound = (squares > 1e-3 * size) & (size > 1e-280) & np.isfinite(size)
    for t in np.flatnonzero(~sound).tolist():
        out[t] = norm((_columns_at(left, t) @ _columns_at(right, t).T).ravel(), 0)
    return np.asarray(out)


def _columns_at(x: Array, t: int) -> Array:
    """Returns a side's columns at a step, (P, N); of symbols only the rows of those that occur."""
    if x.ndim == 3:
        return np.asarray(x[t])
    found, ranks = np.unique(x[t], return_inverse=True)
    return np.asarray(columns_of(ranks[None], len(found))[0])


def _place(x: Array) -> Place:
    return x.__array_interface__["data"][0], x.shape, x.strides
