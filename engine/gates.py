"""The gates' activity and saturation, and how long a unit remembers."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.diagnostics import Gates
from engine.phrases import count, number
from engine.reference import Reference

NAMES = {"lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "candidate")}
RETAINS = {"lstm": "forget", "gru": "update"}


def gates(kept: Reference) -> Gates | None:
    """Returns the top layer's gates along the carried tape; None for a cell without gates."""
    name, H, tape = kept.x.network.cell.name, kept.x.network.hidden, kept.tape.layers[-1]
    if name not in NAMES:
        return None
    act = {gate: tape.act[:, n * H : (n + 1) * H] for n, gate in enumerate(NAMES[name]) if gate != "candidate"}
    memory = np.sort(_memory(tape.pre, NAMES[name].index(RETAINS[name]), H))[::-1]
    sentence = _sentence(RETAINS[name], memory)
    return Gates({gate: a.mean(axis=(1, 2)) for gate, a in act.items()},
                 {gate: (a < 0.1).mean(axis=(1, 2)) for gate, a in act.items()},
                 {gate: (a > 0.9).mean(axis=(1, 2)) for gate, a in act.items()}, memory, sentence)


def _sentence(gate: str, memory: Array) -> str:
    if np.isnan(memory).any():
        return "The gates are not finite, so they say nothing of memory."
    if np.isinf(memory[0]):
        return f"By its {gate} gate alone, at least one unit never forgets."
    middle, longest = _duration(float(np.median(memory))), _duration(float(memory[0]))
    return f"By its {gate} gate alone, the median unit remembers for {middle}, the longest for {longest}."


def _duration(steps: float) -> str:
    if steps < 0.5:
        return "less than a step"
    return count(round(steps), "step") if steps < 1000 else f"{number(steps)} steps"


def _memory(pre: Array, gate: int, H: int) -> Array:
    """Returns (H,) -1 / mean log sigmoid(a): the steps over which a unit's retention falls to 1/e.

    -log sigmoid(a) = log(1 + exp(-a)), which keeps its digits for a gate that is almost open. Infinite
    for a unit that never forgets."""
    loss = np.logaddexp(0.0, -pre[:, gate * H : (gate + 1) * H]).mean(axis=(0, 2))
    return np.asarray(1.0 / loss)
