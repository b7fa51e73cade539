"""The carried run beside the run that is reset at each window's start: how long a reset is felt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, norm
from engine.network import Network
from engine.traces import CarryOver
from engine.unroll import Data, Tape

MOST_UNITS = 64


def carry_over(network: Network, data: Data, starts: NDArray[np.int64], carried: Tape, reset: Tape) -> CarryOver:
    """Returns the distance of the two runs' states after every step, and the steps until it has halved."""
    distance = _mean_norm([a.states - b.states for a, b in zip(carried.layers, reset.layers, strict=True)])
    before = _mean_norm([a.entering[starts[1:]] - b.entering[starts[1:]]
                         for a, b in zip(carried.layers, reset.layers, strict=True)])
    ends = [*starts[2:], len(distance)]
    windows = [distance[start:end] for start, end in zip(starts[1:], ends, strict=False)]
    half = [_first(window <= gap / 2) for window, gap in zip(windows, before, strict=True)]
    H = network.hidden
    units = slice(0, min(H, MOST_UNITS))
    a, b = (np.where(data.counts, tape.losses.mean(axis=1), np.nan) for tape in (carried, reset))
    return CarryOver(
        distance=distance, start_distance=before, half_life=np.array(half, np.int64),
        carried=_mean_norm([layer.states for layer in carried.layers]),
        reset=_mean_norm([layer.states for layer in reset.layers]),
        loss_carried=a, loss_reset=b, total_carried=float(a[data.counts].sum()),
        total_reset=float(b[data.counts].sum()),
        units_carried=carried.layers[-1].states[:, units, 0].copy(),
        units_reset=reset.layers[-1].states[:, units, 0].copy())


def _mean_norm(states: list[Array]) -> Array:
    """(T, S, B) per layer -> (T,): the norm over all layers per sample, then the mean over the batch."""
    return np.asarray(np.hypot.reduce([norm(layer, 1) for layer in states], axis=0).mean(axis=1))


def _first(hit: NDArray[np.bool_]) -> int:
    """Returns the number of steps until the first hit (1 for the first step), or -1."""
    return int(hit.argmax()) + 1 if hit.any() else -1
