"""The pictures of a recorded trace: those of Explore as far as a trace has their numbers, and its updates."""

from __future__ import annotations

from engine.recorded import Outcome
from server.figures.base import Figure
from server.figures.recorded import credit, updates
from server.figures.recorded.lines import gradients, losses, states

MOST_MATRICES = 8  # rows whose credit is drawn


def draw_all(found: Outcome) -> dict[str, Figure]:
    """Returns picture -> figure, for the pictures that the trace has numbers for."""
    recorded, drawn = found.recorded, {"loss": losses(found)}
    if found.reach is not None:
        drawn["staircase"] = credit.staircases(found, found.reach)
        for row in list(recorded.credit)[:MOST_MATRICES]:
            drawn[f"credit:{row}"] = credit.figure(found, found.reach, row)
    if recorded.grad:
        drawn["grad"] = gradients(found)
    if recorded.state:
        drawn["state"] = states(found)
    if recorded.norm_before is not None or recorded.norm_after is not None:
        drawn["parameters"] = updates.parameters(recorded)
    if recorded.memory is not None and recorded.memory.size:
        drawn["memory"] = updates.memory(recorded.memory)
    return drawn


__all__ = ["draw_all"]
