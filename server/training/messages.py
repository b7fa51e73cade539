"""What the front process and a training process say to each other; both ends are ours. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass

from engine.training.lab import Lab

FINISHED = ("done", "cancelled", "failed")  # statuses from which nothing follows
RESTING = (*FINISHED, "interrupted")  # statuses in which nothing comes until somebody asks for it


@dataclass(frozen=True)
class Start:
    """To a process: from now on lanes of this run."""

    run: str
    lab: Lab
    weight_bytes: int  # of weights that are kept of each lane's moments


@dataclass(frozen=True)
class Take:
    """To a process: train this lane, from its checkpoint if it has one; `updates`: so many, and hand it back."""

    strategy: int
    seed: int
    checkpoint: bytes | None = None
    rates: tuple[tuple[int, float], ...] = ()  # (tokens, learning rate from there on), ascending
    updates: int | None = None


@dataclass(frozen=True)
class HandBack:
    """To a process: give back these lanes with their checkpoints (empty: all of them)."""

    lanes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Happened:
    """An event of a lane, encoded; the same lane always makes the same keys."""

    kind: str
    lane: str
    key: str
    data_json: str


@dataclass(frozen=True)
class Standing:
    """How far a lane is."""

    tokens: int
    seconds: float  # of computing, since its first update
    elapsed: float  # the same by the clock on the wall
    ended: str = ""  # done | diverged | failed


@dataclass(frozen=True)
class Report:
    """From a process: what has happened since the last report, to be stored at once or not at all."""

    run: str
    events: tuple[Happened, ...] = ()
    checkpoints: tuple[tuple[str, bytes], ...] = ()
    moments: tuple[tuple[str, int, bytes], ...] = ()
    lanes: tuple[tuple[str, Standing], ...] = ()
    back: tuple[str, ...] = ()  # lanes that the process does not hold any more


def lane_name(strategy: int, seed: int) -> str:
    """Returns a lane's name on the wire: strategy.seed."""
    return f"{strategy}.{seed}"


def lane_parts(name: str) -> tuple[int, int]:
    """Returns the strategy's index and the seed of a lane's name, or raises ValueError."""
    strategy, _, seed = name.partition(".")
    known = strategy.isdecimal() and seed.isdecimal() and len(name) <= 24
    if not known or lane_name(int(strategy), int(seed)) != name:
        raise ValueError(name[:24])
    return int(strategy), int(seed)
