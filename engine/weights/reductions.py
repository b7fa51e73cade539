"""How losses are reduced over time and batch, and the factor between each way and the engine's. (leaf)"""

from __future__ import annotations

import difflib

from engine.errors import refuse

REDUCTIONS: dict[str, str] = {
    "sum_time_mean_batch": "the sum over the loss steps of the mean over the batch: Unrolled's own, and TensorFlow 1's "
                           "sequence_loss with average_across_timesteps=False",
    "mean": "the mean over loss steps and batch: the default of PyTorch's losses and of Keras",
    "sum": "the sum over loss steps and batch: reduction='sum'",
    "mean_time_sum_batch": "the mean over the loss steps of the sum over the batch",
}
"""Reductions by name, in words."""


def reduction_factor(reduction: str, steps: int, batch: int) -> float:
    """Returns what the engine's loss and every one of its gradients is multiplied by to be those under `reduction`,
    for `steps` loss steps and `batch` samples.

    Over outputs the engine sums, and it takes half the square: PyTorch's MSELoss(reduction="mean") is also divided
    by O and lacks the half, so a further 2 / O is due there. Raises InputError for an unknown name or empty sizes."""
    if reduction not in REDUCTIONS:
        near = difflib.get_close_matches(str(reduction)[:64], REDUCTIONS, n=1)
        raise refuse("reduction", reduction, f"must be one of {', '.join(REDUCTIONS)}",
                     f"Did you mean {near[0]}?" if near else "Choose one of them.")
    if steps < 1 or batch < 1:
        raise refuse("reduction", f"{steps} steps, {batch} samples", "must be 1 or more", "Count the loss steps.")
    return {"sum_time_mean_batch": 1.0, "mean": 1.0 / steps, "sum": float(batch),
            "mean_time_sum_batch": batch / steps}[reduction]
