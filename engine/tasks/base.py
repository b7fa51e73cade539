"""What a task hands to the network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array


@dataclass(frozen=True)
class Batch:
    """Sequences side by side. Symbols are integers into `vocabulary`; otherwise values are floats."""

    inputs: Array  # (T, B) symbols, or (T, B, D) values
    targets: Array  # (T, B) classes, or (T, B, O) values
    mask: NDArray[np.bool_]  # (T,) steps that have a target
    vocabulary: tuple[str, ...]  # of the inputs; empty for values
    classes: tuple[str, ...]  # of the targets; empty for values
    source: str
    sha256: str = ""


@lru_cache(maxsize=4)
def digest(text: str) -> str:
    """Returns the SHA-256 of a text, by which two answers can be seen to rest on the same data."""
    return hashlib.sha256(text.encode()).hexdigest()


def row_starts(length: int, steps: int, batch: int) -> NDArray[np.int64]:
    """Returns where each of the batch's rows starts in a stream: at even distances, so that rows are
    contiguous pieces of it (TensorFlow's arrangement); they overlap where the stream is short."""
    return np.asarray(np.linspace(0, length - steps - 1, batch).astype(np.int64))
