"""The tasks by name: generate(rng, config) -> Batch."""

from collections.abc import Callable

import numpy as np

from engine.config import Config
from engine.tasks.base import Batch
from engine.tasks.memory import adding, copy, lagged_bits
from engine.tasks.series import series
from engine.tasks.text import text

TASKS: dict[str, Callable[[np.random.Generator, Config], Batch]] = {
    "text": text, "copy": copy, "adding": adding, "lagged_bits": lagged_bits, "series": series,
}

__all__ = ["TASKS", "Batch", "text"]
