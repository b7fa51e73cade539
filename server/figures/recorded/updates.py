"""What a trace says of each update: norms of the parameters' gradient before and after clipping, and memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array, Floats, Ints
from engine.recorded import Recorded
from engine.recorded.captions import MIB, whole
from server.figures.base import Axis, Figure, axis
from server.figures.base import figure as framed
from server.figures.bins import bin_starts
from server.figures.curves import log_curves, nothing, straight

MOST_UPDATES = 2_000
DOTS: dict[str, Any] = {"mode": "lines+markers", "marker": {"size": 5}}


def few(values: Floats) -> tuple[Ints, Floats]:
    """Returns at most 2,000 updates and the largest value of each and of those up to the next."""
    starts = bin_starts(len(values), MOST_UPDATES)
    return starts, values if starts.size == len(values) else np.asarray(np.fmax.reduceat(values, starts))


def parameters(recorded: Recorded) -> Figure:
    """Returns the norm of all parameters' gradient together, before clipping solid and after it dashed."""
    curves: list[tuple[str, Array, Array, str, dict[str, Any]]] = []
    if recorded.norm_before is not None:
        norms = whole(recorded.norm_before)
        curves.append(("before clipping", *few(norms), "var(--full)", {**DOTS, "width": 2.5}))
    if recorded.norm_after is not None:
        norms = whole(recorded.norm_after)
        curves.append(("after clipping", *few(norms), "var(--truncated)", {**DOTS, "width": 2, "dash": "6px,3px"}))
    return log_curves(curves, _updates(len(norms)), "‖gradient of all parameters‖")


def memory(bytes_: Floats) -> Figure:
    """Returns the resident memory at each update, on an axis that begins at 0."""
    used = bytes_ / MIB
    top = 1.06 * max(float(np.max(used, where=np.isfinite(used), initial=0.0)), 1.0)
    return framed([straight("resident memory", *few(used), "var(--full)", **DOTS)],
                  xaxis=_updates(len(used)), yaxis=axis("resident memory, MiB", range=[0, top], nticks=6),
                  annotations=nothing([used]), showlegend=False)


def _updates(count: int) -> Axis:
    return axis("update", range=[-0.5, count - 0.5], showgrid=False, **({"dtick": 1} if count <= 8 else {"nticks": 8}))
