"""A run as it stands, in plain arrays: what figures, results and the verdict are made from. (leaf, but for lab)"""

from __future__ import annotations

from dataclasses import dataclass

from engine.arrays import Floats
from engine.training.findings import Verdict
from engine.training.lab import Lab

POINT_NAMES = ("tokens", "update", "loss", "accuracy", "norm", "clipped", "rate", "seconds")


@dataclass(frozen=True)
class MomentView:
    """One evaluation of a lane on the held-out part; losses in nats (or half the squared error) a token."""

    tokens: int
    update: int
    loss_carry: float
    loss_reset: float
    accuracy_carry: float
    accuracy_reset: float
    sample: str
    probe: Floats  # (P,) mean over the batch of |dL_last/dh_t|
    half_life: float


@dataclass(frozen=True)
class LaneView:
    """One (strategy, seed): its training curve and its evaluations."""

    strategy: int
    seed: int
    points: dict[str, Floats]  # every name of POINT_NAMES -> (N,)
    moments: tuple[MomentView, ...]
    seconds: float
    peak_bytes: int
    ended: str  # "" while it runs | done | diverged | stopped | failed


@dataclass(frozen=True)
class RunView:
    """A whole run."""

    lab: Lab
    status: str
    lanes: tuple[LaneView, ...]
    verdict: Verdict | None
    rates: tuple[tuple[int, float], ...] = ()  # (tokens, new learning rate): what the person changed while it ran
