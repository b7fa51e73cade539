"""The bias of truncation against k, for these weights and these data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.adaptive import adaptive_of
from engine.arrays import Array, Floats, Params, norm, unit_scale
from engine.backprop import backprop
from engine.config import Config
from engine.diagnostics import BiasCurve
from engine.lags import Lag, by_lag, inputs_used
from engine.phrases import count
from engine.reference import Reference
from engine.truncation import plan_of

LEVELS = (0.1, 0.01, 0.001)
WINDOWS = 24  # values of k at which window(k) is run


def bias_curve(kept: Reference) -> BiasCurve:
    """Returns the relative error of sliding(k) for every k, from one sweep, and of window(k) for some k.

    The gradient of sliding(k) is the sum of what the lags below k bring; its error is what the others bring."""
    ledger = ledger_of(kept)
    errors = {name: np.array(values) for name, values in ledger.errors.items()}
    whole = np.sqrt(np.sum([np.square(e) for e in errors.values()], axis=0)) / ledger.size
    blocks = {name: e / float(norm(ledger.full[name].ravel(), 0)) for name, e in errors.items()}
    shares, profile = np.array(ledger.shares), np.array(ledger.norms)
    ks, window = _window_curve(kept)
    half = half_life(profile)
    return BiasCurve(
        sliding=whole, sliding_blocks=blocks, window_k=ks, window=window, share_by_lag=shares,
        readout_share=float(1.0 - shares.sum()), norm_by_lag=profile,
        smallest_k={f"{level:g}": first_k(whole, level) for level in LEVELS}, half_life=half,
        adaptive=adaptive_of(np.array(ledger.states), np.array(ledger.sizes), _reached(whole, shares) * ledger.size),
        sentence=_sentence(whole, half))


def ledger_of(kept: Reference) -> Ledger:
    """Returns what each lag brings, and what is missing after it, of the whole sweep."""
    x, ledger = kept.x, Ledger.empty(kept)
    for lag in by_lag(x.network, x.params, kept.tape, x.data.counts, ledger.scale):
        ledger.take(lag)
    return ledger


@dataclass
class Ledger:
    """What the lags have brought so far, in units of `scale`."""

    full: Params
    rest: Params  # what has not come yet, of the recurrent blocks
    scale: float
    size: float  # |full|
    errors: dict[str, list[float]]
    shares: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    states: list[float] = field(default_factory=list)

    @staticmethod
    def empty(kept: Reference) -> Ledger:
        scale = unit_scale(*kept.gradients.blocks.values())
        full = {name: block / scale for name, block in kept.gradients.blocks.items()}
        full["l0.W_ih"] = np.ascontiguousarray(full["l0.W_ih"][:, inputs_used(kept.tape)])
        rest = {name: block.copy() for name, block in full.items() if name not in ("W_hy", "b_y")}
        size = float(np.sqrt(sum(float(np.vdot(block, block)) for block in full.values())))
        return Ledger(full, rest, scale, size, {name: [] for name in rest})

    def take(self, lag: Lag) -> None:
        share, squares = 0.0, 0.0
        for name, part in lag.blocks.items():
            rest = self.rest[name]
            rest -= part
            self.errors[name].append(float(np.sqrt(np.vdot(rest, rest))))
            share += float(np.vdot(part, self.full[name]))
            squares += float(np.vdot(part, part))
        self.shares.append(share / self.size**2 if self.size else float("nan"))
        self.sizes.append(float(np.sqrt(squares)))
        self.norms.append(lag.norm * self.scale)
        self.states.append(lag.state * self.scale)


def _reached(errors: Floats, shares: Floats) -> Floats:
    """Returns |gradient of sliding(k)| / |full| for k = 1 ... T, from |g - r|^2 = |g|^2 - 2 <g, r> + |r|^2."""
    rest = np.append(shares[::-1].cumsum()[::-1][1:], 0.0)
    return np.asarray(np.sqrt(np.maximum(1.0 - 2.0 * rest + np.square(errors), 0.0)))


def _sentence(errors: Floats, half: int) -> str:
    if not np.isfinite(errors).all():
        return "The full gradient is zero or not finite, so no truncation can be held against it."
    k, T = first_k(errors, 0.01), len(errors)
    faded = f"half of a loss' dL/dh is gone after {count(half, 'step')} back" if half >= 0 else \
        "a loss' dL/dh never falls to half on its way back"
    within = f"sliding({k}) is within 1 % of full BPTT over {count(T, 'step')}" if k < T else \
        f"no sliding(k) with k below {T} is within 1 % of full BPTT"
    return f"For these weights and these data, {within}; on average {faded}."


def first_k(errors: Floats, level: float) -> int:
    """Returns the smallest k from which on the error stays at most at the level; T at the latest."""
    above = np.flatnonzero(~(errors <= level))
    return min(int(above[-1]) + 2, len(errors)) if len(above) else 1


def half_life(profile: Floats) -> int:
    """Returns the steps back until the losses' mean gradient norm is half of what it was; -1 if it never is."""
    below = np.flatnonzero(profile <= 0.5 * profile[0])
    return int(below[0]) if len(below) and profile[0] > 0 else -1


def _window_curve(kept: Reference) -> tuple[Array, Array]:
    """Returns k and the relative error of window(k), a run for each k."""
    T = kept.config.steps
    ks = np.unique(np.geomspace(1, T, min(T, WINDOWS)).round().astype(np.int64))
    full = kept.gradients.blocks
    scale = unit_scale(*full.values())
    size = np.sqrt(sum(float(np.square(block / scale).sum()) for block in full.values()))
    errors = []
    for k in ks:
        plan = plan_of(Config(steps=T, style="window", k=int(k)))
        found = backprop(kept.x.network, kept.x.params, kept.tape, plan).blocks
        errors.append(np.sqrt(sum(float(np.square((found[name] - full[name]) / scale).sum()) for name in full)) / size)
    return ks, np.array(errors)
