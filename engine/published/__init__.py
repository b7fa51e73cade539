"""Published results, computed anew with the engine: RESULTS names them."""

from __future__ import annotations

from collections.abc import Callable

from engine.arrays import quiet_single_thread
from engine.published import (
    artbp,
    below_the_lag,
    influence_balancing,
    lagged_bits,
    lstm_exercise,
    mask_identity,
    state_grad,
    trained_bits,
)
from engine.published.result import About, Check, Measured, Picture, Published, Series, Source

_MODULES = (mask_identity, state_grad, lstm_exercise, influence_balancing, artbp, lagged_bits, trained_bits,
            below_the_lag)
RESULTS: dict[str, About] = {module.ABOUT.name: module.ABOUT for module in _MODULES}
"""What each result is about, by name, in the order in which they are shown."""

_COMPUTE: dict[str, Callable[[], Published]] = {module.ABOUT.name: module.compute for module in _MODULES}


def reproduce(name: str) -> Published:
    """Returns the result of that name, computed; the same numbers every time. Raises KeyError for other names."""
    with quiet_single_thread():
        return _COMPUTE[name]()


__all__ = ["RESULTS", "About", "Check", "Measured", "Picture", "Published", "Series", "Source", "reproduce"]
