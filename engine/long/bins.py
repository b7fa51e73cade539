"""Many steps as a few bins: none is left out, and the largest stays visible. (leaf)"""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, Bools, Floats, Ints
from engine.long.view import MOST_BINS, Band


def bin_size(T: int) -> int:
    """Returns how many steps each of at most MOST_BINS bins has."""
    return -(-T // MOST_BINS)


def starts_of(T: int) -> Ints:
    """Returns the first step of each bin."""
    return np.arange(0, T, bin_size(T), dtype=np.int64)


def band(values: Floats, there: Bools | None = None) -> Band:
    """Returns the smallest, mean and largest of each bin of (T,), of all steps or of those that are `there`. A value
    that is NaN makes its bin NaN."""
    starts = starts_of(len(values))
    there = np.ones(len(values), bool) if there is None else there
    counts = np.add.reduceat(there.astype(np.int64), starts)
    low = np.minimum.reduceat(np.where(there, values, np.inf), starts)
    high = np.maximum.reduceat(np.where(there, values, -np.inf), starts)
    with np.errstate(all="ignore"):
        mean = np.add.reduceat(np.where(there, values, 0.0), starts) / counts
    low[counts == 0] = high[counts == 0] = mean[counts == 0] = np.nan
    return Band(low, mean, high)


def counted(flags: Array) -> Ints:
    """Returns how many of (T,) flags are set in each bin."""
    return np.add.reduceat(flags.astype(np.int64), starts_of(len(flags)))
