"""Merges a lane's updates into points: at the same tokens each time, whoever computes them and when.

A point ends at the first update at or beyond the next boundary. Boundaries stand close at the start,
where a loss falls fast, and apart later: a point is at most 1/32 of the tokens behind it wide, and at
most 1/256 of all tokens. So a lane has some hundred points, and a lane that is resumed makes the same
ones: what has not become a point yet is part of its checkpoint.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.training.snapshots import Snapshot

SHARE, GROWTH = 256, 32
MEANS = ("loss", "accuracy", "norm", "clipped")
SIZE = len(MEANS)
STATE = "service.point"


def boundary(tokens: int, total: int) -> int:
    """Returns where the point ends that begins after `tokens` of `total`."""
    return min(tokens + max(1, min(total // SHARE, tokens // GROWTH)), total)


class Merger:
    """Means over the updates since the last point, weighted by their tokens. What an update does not have, such as
    the loss of a window in which none is read, does not count; what explodes does."""

    def __init__(self, total: int, state: dict[str, NDArray[Any]] | None = None) -> None:
        self.total = total
        # tokens at the last point; tokens, number and learning rate of the last update; each mean's sum; its weight
        self._state = np.zeros(4 + 2 * SIZE) if state is None else np.array(state[STATE], dtype=np.float64)

    def state(self) -> dict[str, NDArray[Any]]:
        """Returns what has not become a point yet."""
        return {STATE: self._state.copy()}

    def add(self, snapshot: Snapshot) -> dict[str, Any] | None:
        """Returns the point that ends with this update, or None."""
        values = np.array([float(getattr(snapshot, name)) for name in MEANS])
        counts = ~np.isnan(values) | snapshot.diverged
        width = (snapshot.tokens - self._state[1]) * counts
        with np.errstate(over="ignore", invalid="ignore"):
            self._state[4 : 4 + SIZE] += np.where(counts, width * values, 0.0)
        self._state[4 + SIZE :] += width
        self._state[1:4] = snapshot.tokens, snapshot.update, snapshot.rate
        return self.rest() if snapshot.tokens >= boundary(int(self._state[0]), self.total) else None

    def rest(self) -> dict[str, Any] | None:
        """Returns the point of all updates since the last one, or None if there are none."""
        begun, tokens, update, rate = self._state[:4].tolist()
        if tokens == begun:
            return None
        sums, weights = self._state[4 : 4 + SIZE], self._state[4 + SIZE :]
        with np.errstate(invalid="ignore"):
            means = dict(zip(MEANS, (sums / weights).tolist(), strict=True))
        self._state[0], self._state[4:] = tokens, 0.0
        return {"tokens": int(tokens), "update": int(update), **means, "rate": rate}
