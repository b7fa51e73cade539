"""What a budget of bytes buys: how long a segment is, and how many borders are kept."""

from __future__ import annotations

from dataclasses import dataclass

from engine.network import Network

MEMORY = 64 << 20  # bytes that a long analysis may hold beside its numbers per step
SHORTEST, LONGEST = 8, 256  # steps of a segment: below, its overhead counts; above, its tape leaves the cache
BYTES = 8  # of a number


@dataclass(frozen=True)
class Budget:
    """How a long sequence is cut: steps of a segment, and borders whose states and gradients are kept."""

    segment: int
    borders: int


def budget_of(network: Network, batch: int, tracks: int, memory: int = MEMORY) -> Budget:
    """Returns the budget of a network whose plan has so many tracks. Half the memory is for two segments' tapes,
    one that is being made and one that is let go, half for the borders."""
    step = BYTES * batch * (network.layers * per_step(network) + 4 * network.outputs + 2 * network.inputs)
    step += BYTES * 2 * tracks
    segment = min(LONGEST, max(SHORTEST, memory // 2 // (2 * step)))
    return Budget(segment, max(1, memory // 2 // border_bytes(network, batch, tracks)))


def per_step(network: Network) -> int:
    """Returns how many numbers a layer's tape and sweeps hold for a step and sample."""
    cell, H = network.cell, network.hidden
    return H * (2 * cell.gates + cell.extras + cell.slopes + 4 * cell.parts + 2 * cell.records + 2)


def border_bytes(network: Network, batch: int, tracks: int) -> int:
    """Returns the bytes of what is kept at a border: the states of the carried run and of the run that is reset, the
    gradients of full BPTT and of every track."""
    return BYTES * batch * network.layers * network.state * (tracks + 3)
