"""What a lane tells after every update. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass

from engine.arrays import Floats


@dataclass(frozen=True)
class Evaluation:
    """Means over the held-out tokens: the loss in nats, or half the squared error; NaN accuracy for values."""

    loss: float
    accuracy: float
    tokens: int  # that the loss was read at


@dataclass(frozen=True)
class Moment:
    """A lane looked at from outside, before its first update and then at even distances of tokens."""

    tokens: int
    update: int
    held_out: Evaluation  # the state carried
    held_out_reset: Evaluation  # the state reset at each window's start
    sample: str  # text that the network makes; "" where the task is not a text
    probe: Floats  # (P,) |dL_{P-1}/dh_t| over all layers, mean over the samples of a fixed held-out piece
    half_life: float  # steps back in which the probe's norm halves, fitted; NaN where it cannot be told


@dataclass(frozen=True)
class Snapshot:
    """One update. The first one has update 0: nothing was trained yet, and there is a moment."""

    tokens: int  # trained on so far
    update: int
    loss: float  # mean over this update's tokens: nats, or half the squared error; NaN where no loss was read
    accuracy: float  # of the same tokens; NaN for values
    norm: float  # of the gradient before clipping; NaN where there was no update
    clipped: float  # by norm: 1 or 0; by element: the share of the gradient's entries
    rate: float  # that this update was made with, decay included
    diverged: bool  # the loss or the gradient is not finite: no update was made, and none follows
    moment: Moment | None
