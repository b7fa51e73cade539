"""Many draws of ARTBP beside the full gradient: unbiased, at the price of variance."""

from __future__ import annotations

import numpy as np

from engine.arrays import norm
from engine.backprop import backprop
from engine.compare import costs
from engine.config import Config
from engine.diagnostics import Draws
from engine.phrases import percent
from engine.reference import Reference
from engine.truncation import Plan, draw_cuts

DRAWS = 32


def draws(kept: Reference, config: Config) -> Draws:
    """Returns DRAWS seeded draws of random(p), each compared with full BPTT, and their mean's error."""
    T, H = config.steps, kept.x.network.hidden
    rng = np.random.default_rng([config.seed, T, DRAWS])
    full, found, norms = kept.gradients.blocks, [], []
    total = {name: np.zeros_like(block) for name, block in full.items()}
    for _ in range(DRAWS):
        inject, edge = draw_cuts(T, config.p, rng)
        one = backprop(kept.x.network, kept.x.params, kept.tape,
                       Plan("a draw", np.zeros(1, np.int64), np.zeros(T, bool), inject, edge))
        found.append(costs(one.blocks, full).whole)
        norms.append(np.hypot.reduce([norm(s[:, :H], 1) for s in one.states], axis=0).mean(axis=1))
        for name, block in one.blocks.items():
            total[name] += block / DRAWS
    mean_error = costs(total, full).whole.relative_error
    errors = np.array([c.relative_error for c in found])
    return Draws(config.p, np.array([c.cosine for c in found]), errors, np.array([c.kept for c in found]),
                 mean_error, np.mean(norms, axis=0), np.std(norms, axis=0),
                 _sentence(config.p, float(np.median(errors)), mean_error))


def _sentence(p: float, one: float, mean: float) -> str:
    if p == 0:
        return "With p = 0 nothing is cut: every draw is full BPTT."
    if not np.isfinite([one, mean]).all():
        return "The full gradient is zero or not finite, so no draw can be held against it."
    return (f"A single draw is off by {percent(one)} (median of {DRAWS}), the mean of {DRAWS} by {percent(mean)}; "
            "only the mean over all draws is exact.")
