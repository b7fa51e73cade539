"""Axis letters, dtypes and the few array helpers that everything shares. (leaf)

Public arrays are `(T, B, features)`. Inside the engine the features stand before the columns,
`(T, features, N)`: the slice of one gate is then contiguous for any batch, and the recurrent
product is `W @ s`. N counts columns: the batch, times the tracks of a plan where there are some.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from engine.errors import refuse

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Params = dict[str, Array]


@contextmanager
def quiet_single_thread() -> Iterator[None]:
    """One BLAS thread, and no warnings for overflow: infinity is data here, and is reported as such."""
    with _libraries().limit(limits=1, user_api="blas"), np.errstate(all="ignore"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    """Looked for once: it takes milliseconds, and NumPy's own library is there from the start."""
    return ThreadpoolController()


def require_shape(name: str, value: object, shape: tuple[int, ...], axes: str) -> NDArray[np.float64]:
    """Returns the value as a finite float64 array of exactly this shape; `axes` names its letters."""
    expected = f"must have shape ({axes}) = {shape}"
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise refuse(name, "a ragged or non-numeric list", expected, "Give nested lists of numbers.") from None
    if array.shape != shape:
        raise refuse(name, f"shape {array.shape}", expected, "Check the order of the axes.")
    if not np.isfinite(array).all():
        raise refuse(name, "a value that is not finite", "must be finite", "Replace NaN and infinity.")
    return array


def norm(x: Array, axis: int | tuple[int, ...]) -> Array:
    """Returns the Euclidean norm over `axis`, without overflow or underflow of the squares."""
    one = isinstance(axis, int)  # summed where it stands, without the squares in between
    squares = np.vecdot(x, x, axis=axis) if one else np.square(x).sum(axis=axis)  # type: ignore[call-overload]
    plain: Array = np.asarray(np.sqrt(squares))
    if plain.size and np.isfinite(plain).all() and plain.min() > 1e-140:
        return plain
    if not isinstance(axis, int):
        return _careful_norm(x, axis)
    poor = ~(np.isfinite(plain) & (plain > 1e-140))
    again = np.moveaxis(x, axis, -1)[poor]
    if again.any():  # that of nothing but zeros is right already
        plain[poor] = _careful_norm(again, -1)
    return plain


def _careful_norm(x: Array, axis: int | tuple[int, ...]) -> Array:
    """The same in units of the largest entry."""
    top = np.abs(x).max(axis=axis, keepdims=True, initial=0.0)
    unit = np.where((top > 0) & np.isfinite(top), top, 1.0)
    return np.asarray(np.sqrt(np.square(x / unit).sum(axis=axis)) * np.squeeze(unit, axis=axis))


def frozen(blocks: Params) -> Params:
    """Returns the blocks, made read-only: they are shared with whoever gets the answer."""
    for block in blocks.values():
        block.setflags(write=False)
    return blocks


def columns(x: Array) -> Array:
    """Returns `(T, B, F)` as contiguous `(T, F, B)`."""
    return np.ascontiguousarray(np.swapaxes(x, 1, 2))


def add_rows(x: Array, b: Array) -> Array:
    """Adds b (F,) to every column of the contiguous x (..., F, N), in place, and returns it. NumPy would go through
    runs of N, which are short."""
    many = x.reshape(*x.shape[:-2], -1)
    many += np.repeat(b, x.shape[-1])
    return x


def unit_scale(*arrays: Array) -> float:
    """Returns the largest finite magnitude in the arrays, or 1, to divide by before squaring."""
    top = max((float(np.abs(a).max(initial=0.0)) for a in arrays), default=0.0)
    return top if np.isfinite(top) and top > 0 else 1.0
