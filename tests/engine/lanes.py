"""Lanes that are made up, so that what a verdict must say of them is known."""

from __future__ import annotations

import math

import numpy as np

from engine import Lab, LaneView, MomentView, parse_lab

CARRY: dict[str, object] = {"style": "window", "k": 5}
RESET: dict[str, object] = {"style": "window", "k": 5, "value": "reset"}


def lab_of(*strategies: dict[str, object], **options: object) -> Lab:
    return parse_lab({"strategies": list(strategies), "seeds": 5, **options})


def moment(carry: float, reset: float, tokens: int) -> MomentView:
    return MomentView(tokens, tokens // 80, carry, reset, 0.5, 0.25, "", np.zeros(3), math.nan)


def lane(strategy: int, seed: int, *losses: tuple[float, float], ended: str = "done") -> LaneView:
    """A lane with an evaluation for every (loss carried, loss reset)."""
    moments = tuple(moment(carry, reset, 1000 * i) for i, (carry, reset) in enumerate(losses))
    return LaneView(strategy, seed, {}, moments, 2.0, 1000, ended)


def ended(lab: Lab, losses: dict[int, list[float]]) -> list[LaneView]:
    """Lanes that reached the end with these losses, as trained; the other way is far off."""
    return [lane(i, seed, (4.0, 4.0), (x, 9.0) if lab.strategies[i].value == "carry" else (9.0, x))
            for i, each in losses.items() for seed, x in zip(lab.all_seeds, each, strict=False)]
