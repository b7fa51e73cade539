"""A lane as arrays, and back. Everything else of a lane follows from the lab, the strategy and the seed."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from engine.arrays import Array
from engine.errors import refuse
from engine.training.step import State, Step

COUNTERS = ("begun", "diverged", "update", "done", "stretch", "start")


class Resumable(Protocol):
    """What of a lane changes while it runs."""

    step: Step
    state: State
    rate: float
    begun: bool
    diverged: bool
    update: int
    done: int
    stretch: int
    start: int


def stored(lane: Resumable) -> dict[str, Array]:
    """Returns copies of weights, optimiser, state and counters."""
    optimiser = lane.step.optimiser
    out = {"weights": lane.step.blocks.flat.copy(), "rate": np.array([lane.rate]),
           "counters": np.array([*(int(getattr(lane, name)) for name in COUNTERS), optimiser.updates])}
    out |= {f"memory{i}": memory.copy() for i, memory in enumerate(optimiser.memories)}
    return out | {f"state{layer}": state.copy() for layer, state in enumerate(lane.state)}


def restore(lane: Resumable, checkpoint: dict[str, Array]) -> None:
    """Sets a fresh lane of the same lab, strategy and seed to where the checkpoint was taken.

    Raises InputError where the checkpoint is another lab's."""
    optimiser = lane.step.optimiser
    places = {"weights": lane.step.blocks.flat, **{f"memory{i}": m for i, m in enumerate(optimiser.memories)},
              **{f"state{layer}": state for layer, state in enumerate(lane.state)}}
    expected = {*places, "rate", "counters"}
    if set(checkpoint) != expected or any(checkpoint[name].shape != x.shape or checkpoint[name].dtype != x.dtype
                                          for name, x in places.items()):
        raise refuse("checkpoint", ", ".join(sorted(checkpoint)), "is not of this lab, strategy and seed",
                     "Resume it with the lab that it was taken from.")
    for name, place in places.items():
        place[...] = checkpoint[name]
    *counters, optimiser.updates = (int(n) for n in checkpoint["counters"])
    for name, value in zip(COUNTERS, counters, strict=True):
        setattr(lane, name, bool(value) if name in ("begun", "diverged") else value)
    lane.rate = float(checkpoint["rate"][0])
