"""The bug museum: real bugs of recurrent training, both programs' gradients computed with the engine."""

from __future__ import annotations

from collections.abc import Callable

from engine.arrays import quiet_single_thread
from engine.museum import (
    detach_every_step,
    forget_product,
    gate_gradient,
    h_not_c,
    keras_stateful,
    last_batch,
    no_detach,
    num_steps_depth,
    padding,
    reset_every_batch,
    retain_graph,
    short_series,
    shuffled_windows,
    state_grad,
    sum_loss_clip,
    tensor_split,
    validation_state,
    zero_in_window,
)
from engine.museum.exhibit import Amount, Bug, CreditMap, CreditMaps, Exhibit, Met
from engine.museum.finder import Findings, Suspect, find

_MODULES = (no_detach, retain_graph, h_not_c, detach_every_step, reset_every_batch, shuffled_windows, last_batch,
            validation_state, num_steps_depth, tensor_split, short_series, state_grad, zero_in_window, sum_loss_clip,
            padding, keras_stateful, gate_gradient, forget_product)
BUGS: dict[str, Bug] = {module.BUG.name: module.BUG for module in _MODULES}
"""What each exhibit is about, by name, in the order in which they are shown."""

EXHIBITS: dict[str, Callable[[], Exhibit]] = {module.BUG.name: module.compute for module in _MODULES}
"""What computes each exhibit."""


def exhibit(name: str) -> Exhibit:
    """Returns the exhibit of that name, computed; the same numbers every time. Raises KeyError for other names."""
    with quiet_single_thread():
        return EXHIBITS[name]()


__all__ = ["BUGS", "EXHIBITS", "Amount", "Bug", "CreditMap", "CreditMaps", "Exhibit", "Findings", "Met", "Suspect",
           "exhibit", "find"]
