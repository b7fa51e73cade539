"""An interval of a mean over a few seeds, by bootstrap. (leaf)

The seeds' numbers are drawn again with replacement, RESAMPLES times; the 2.5 % and 97.5 % quantiles of the
means are the percentile interval (Efron 1979). With few numbers it is too narrow: of three numbers it is
their range, and holds the true mean three times in four only. So its two arms are made longer by WIDENING, a
factor for each number of seeds, chosen so that of normally distributed numbers 95 % of the intervals hold the
mean (calibration: Loh 1987; Hesterberg 2015 widens the quantiles to the same end). The drawing is seeded: the
same numbers give the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from engine.arrays import Floats

RESAMPLES = 10_000
LEVEL = 0.95
WIDENING = {2: 12.706, 3: 2.69, 4: 1.96, 5: 1.63, 6: 1.46, 7: 1.36, 8: 1.31, 9: 1.27, 10: 1.24}


@cache
def _shares(n: int) -> Floats:
    """(RESAMPLES, n): the share that each of n numbers has in each resample's mean."""
    drawn = np.random.default_rng(np.random.SeedSequence([2026, n])).integers(n, size=(RESAMPLES, n))
    shares = np.stack([(drawn == i).sum(axis=1) for i in range(n)], axis=1) / n
    shares.setflags(write=False)
    return shares


def percentiles(values: Floats) -> tuple[Floats, Floats]:
    """Returns the plain percentile interval of the mean of values (n, ...), over the first axis: low and high."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(_shares(len(values)) @ values, [tail, 1 - tail], axis=0)
    return low, high


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Returns the 95 % interval of the mean of 2 to 10 finite numbers; NaN and NaN for fewer."""
    if len(values) < 2:
        return float("nan"), float("nan")
    numbers = np.array(values, dtype=np.float64)
    mean, factor = float(numbers.mean()), WIDENING[len(numbers)]
    low, high = percentiles(numbers)
    return mean - factor * (mean - float(low)), mean + factor * (float(high) - mean)
