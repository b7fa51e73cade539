"""In what a loss is shown: nats, bits per token or perplexity; half the squared error of values. (leaf)"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats


@dataclass(frozen=True)
class Measure:
    """A way to show a loss; `of` takes nats (or half the squared error) a token."""

    name: str
    title: str
    of: Callable[[Floats], Floats]


def _perplexity(loss: Floats) -> Floats:
    return np.exp(np.minimum(loss, 700.0))


MEASURES: dict[str, Measure] = {
    "nats": Measure("nats", "nats per {token}", lambda loss: loss),
    "bits": Measure("bits", "bits per {token}", lambda loss: loss / math.log(2)),
    "perplexity": Measure("perplexity", "perplexity", _perplexity),
}
SQUARED = Measure("nats", "half the squared error", lambda loss: loss)


def measure_of(name: str, classes: bool) -> Measure:
    """Returns the measure of that name; values have half their squared error only."""
    return MEASURES[name] if classes else SQUARED
