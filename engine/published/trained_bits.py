"""Lagged bits, trained: a plain RNN reaches the floors."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.published.bits_training import Recipe, held_out, train
from engine.published.lagged_bits import PITIS, floor, reset_floor
from engine.published.result import About, Check, Picture, Published, check, published, series

ABOUT = About(
    "trained_bits", "Lagged bits, trained: the floors are reached", PITIS,
    "A small RNN trained with windows of 10 steps learns both lags and comes down to 0.4545 nats.")
CLOSE = 0.01


def compute() -> Published:
    """Returns the losses of three trainings beside their floors."""
    carried, reset10, reset5 = (held_out(train(recipe)) for recipe in (
        Recipe(10), Recipe(10, carry=False), Recipe(5, carry=False)))
    checks = [
        check("windows of 10, state carried: both lags", floor(8), carried.mean(), CLOSE),
        check("windows of 10, state reset", reset_floor(10), reset10.mean(), CLOSE),
        *_plateaus(reset10),
        check("windows of 5, state reset", reset_floor(5), reset5.mean(), CLOSE),
    ]
    return published(
        ABOUT, "A plain RNN of 16 units, 2,000 updates of Adam on batches of 100, gradients by the engine's sweep; "
        "losses on fresh bits, with the exact probability of each target.", checks,
        f"With the state carried the loss is {carried.mean():.4f}, with the state reset every 10 steps "
        f"{reset10.mean():.4f}: the same network, the same gradients per window, and it sits on the floor that the "
        "reset leaves it.", _picture(carried, reset10))


def _plateaus(losses: Array) -> list[Check]:
    """Within a window the reset network sees ever further back; it is at the floor of each stretch."""
    stretches = (("0 to 2: nothing", 0, 3), ("3 to 7: lag 3", 3, 8), ("8 and 9: both lags", 8, 10))
    return [check(f"windows of 10, state reset, positions {name}", floor(first), losses[first:end].mean(), CLOSE)
            for name, first, end in stretches]


def _picture(carried: Array, reset: Array) -> Picture:
    j = np.arange(len(reset))
    return Picture("Loss by position in a window of 10 steps", "position j", "nats", False, (
        series("floor with reset", j, [floor(int(i)) for i in j], "ink"),
        series("trained, state reset", j, reset, "truncated", points=True),
        series("trained, state carried", j, carried, "full", points=True)))
