"""Fewer columns than steps: a picture of 2,000 steps shows the largest of each few, never a sliver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 400


def bin_starts(count: int, most: int = MOST) -> NDArray[np.int64]:
    """Returns the first index of each of at most `most` bins of equal size (the last may be shorter)."""
    size = max(1, -(-count // most))
    return np.arange(0, count, size, dtype=np.int64)


def centres(starts: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Returns the middle of each bin, evenly spaced."""
    size = int(starts[1] - starts[0]) if starts.size > 1 else count
    return np.asarray(starts + (size - 1) / 2.0, dtype=np.float64)


def largest(values: NDArray[np.float64], axis: int, most: int = MOST) -> NDArray[np.float64]:
    """Returns the largest value of each bin along an axis."""
    starts = bin_starts(int(values.shape[axis]), most)
    if starts.size == values.shape[axis]:
        return values
    return np.asarray(np.maximum.reduceat(values, starts, axis=axis), dtype=np.float64)
