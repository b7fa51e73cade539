"""How far each loss of a long sequence reaches, by arithmetic: no plan of all steps is made."""

from __future__ import annotations

import numpy as np

from engine.arrays import Ints
from engine.config import Config
from engine.truncation import Draws, periods


def reach_of(config: Config, draws: Draws | None) -> Ints:
    """Returns (T,): the earliest state step to which a loss at step s sends a gradient, as `truncation.reach`."""
    s = np.arange(config.steps)
    if draws is not None:
        starts = np.maximum.accumulate(np.where(draws[1][:, 0] == 0.0, s, 0))
        reach = starts
    else:
        k1, k2, chunk = periods(config)
        reach, starts = np.maximum(0, (s // k1 + 1) * k1 - k2), s // chunk * chunk
    if config.style != "full" and config.gradient == "pass":
        reach = np.zeros_like(s)
    return np.maximum(reach, starts) if config.value == "reset" else reach


def window_start(config: Config, draws: Draws | None, step: int) -> int:
    """Returns the first step of the window that a step is in."""
    if draws is not None:
        return int(np.flatnonzero(draws[1][: step + 1, 0] == 0.0).max(initial=0))
    return step // periods(config)[2] * periods(config)[2]


def windows_of(config: Config, draws: Draws | None) -> int:
    """Returns how many windows the plan has."""
    return 1 + int((draws[1] == 0.0).sum()) if draws is not None else -(-config.steps // periods(config)[2])
