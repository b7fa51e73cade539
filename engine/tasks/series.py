"""Next-value prediction on a series of numbers."""

from __future__ import annotations

import numpy as np

from engine.config import Config
from engine.errors import refuse
from engine.tasks.base import Batch, digest, row_starts


def series(rng: np.random.Generator, config: Config) -> Batch:
    """Predict the next value of the standardised series. Row b of the batch is a contiguous piece of it.

    Raises InputError for a series that is too short or too large to standardise."""
    T, B = config.steps, config.batch
    values = np.array(config.series) if config.series else noisy_sine(rng, 4 * T + B)
    if len(values) < T + 1:
        raise refuse("series", f"{len(values)} numbers", f"needs at least steps + 1 = {T + 1}",
                     f"Give more numbers, or set steps to at most {len(values) - 1}.")
    with np.errstate(all="ignore"):
        spread = float(values.std())
        standard = (values - values.mean()) / (spread if spread > 0 else 1.0)
    if not np.isfinite(standard).all():
        raise refuse("series", "its spread", "must fit in double precision", "Scale the numbers down.")
    pieces = np.stack([standard[start : start + T + 1] for start in row_starts(len(values), T, B)], axis=1)
    source = "your series" if config.series else "a sine of period 25 with noise"
    return Batch(pieces[:-1, :, None], pieces[1:, :, None], np.ones(T, bool), (), (),
                 f"{source}, {len(values):,} values, standardised",
                 digest(",".join(map(repr, config.series))) if config.series else "")


def noisy_sine(rng: np.random.Generator, length: int) -> np.ndarray:
    """Returns a sine of period 25 with Gaussian noise of a tenth of its amplitude."""
    return np.sin(2 * np.pi * np.arange(length) / 25) + 0.1 * rng.standard_normal(length)
