"""The bias of truncation against k, for these weights and these data."""

from __future__ import annotations

import numpy as np

from engine.adaptive import adaptive_of
from engine.arrays import Array, Floats, norm
from engine.backprop import backprop
from engine.config import Config
from engine.diagnostics import BiasCurve
from engine.lags import by_lag, inputs_used
from engine.phrases import count
from engine.reference import Reference
from engine.truncation import plan_of

LEVELS = (0.1, 0.01, 0.001)
WINDOWS = 24  # values of k at which window(k) is run


def bias_curve(kept: Reference) -> BiasCurve:
    """Returns the relative error of sliding(k) for every k, from one sweep, and of window(k) for some k.

    The gradient of sliding(k) is the sum of what the lags below k bring; its error is what the others bring."""
    full = dict(kept.gradients.blocks)
    recurrent = [name for name in full if name not in ("W_hy", "b_y")]
    full["l0.W_ih"] = np.ascontiguousarray(full["l0.W_ih"][:, inputs_used(kept.tape)])
    rest = {name: full[name].copy() for name in recurrent}
    errors: dict[str, list[float]] = {name: [] for name in recurrent}
    shares, sizes, norms = [], [], []
    square = sum(float(np.vdot(block, block)) for block in full.values())
    for lag in by_lag(kept.x.network, kept.x.params, kept.tape, int(kept.x.data.counts.sum())):
        for name, part in lag.blocks.items():
            rest[name] -= part
            errors[name].append(float(np.linalg.norm(rest[name])))
        shares.append(sum(float(np.vdot(part, full[name])) for name, part in lag.blocks.items()) / square)
        sizes.append(float(norm(np.array([np.linalg.norm(part) for part in lag.blocks.values()]), 0)))
        norms.append(lag.norm)
    readout = 1.0 - np.sum(shares)  # of W_hy and b_y, which no truncation touches
    ends = {name: np.array(values) for name, values in errors.items()}
    whole = np.sqrt(np.sum([np.square(e) for e in ends.values()], axis=0)) / np.sqrt(square)
    blocks = {name: e / float(np.linalg.norm(full[name])) for name, e in ends.items()}
    ks, window = _window_curve(kept)
    profile = np.array(norms)
    return BiasCurve(
        sliding=whole, sliding_blocks=blocks, window_k=ks, window=window, share_by_lag=np.array(shares),
        readout_share=float(readout), norm_by_lag=profile, smallest_k={f"{x:g}": first_k(whole, x) for x in LEVELS},
        half_life=(half := half_life(profile)), adaptive=adaptive_of(profile, np.array(sizes), square),
        sentence=_sentence(first_k(whole, 0.01), half, len(whole)))


def _sentence(k: int, half: int, T: int) -> str:
    faded = f"after {count(half, 'step')} back half of a loss' gradient is gone" if half >= 0 else \
        "a loss' gradient never falls to half on its way back"
    return (f"For these weights and these data, sliding({k}) is within 1 % of full BPTT over {T} steps; "
            f"on average {faded}.")


def first_k(errors: Floats, level: float) -> int:
    """Returns the smallest k from which on the error stays at most at the level; T at the latest."""
    above = np.flatnonzero(~(errors <= level))
    return min(int(above[-1]) + 2, len(errors)) if len(above) else 1


def half_life(profile: Floats) -> int:
    """Returns the steps back until the losses' mean gradient norm is half of what it was; -1 if it never is."""
    below = np.flatnonzero(profile <= 0.5 * profile[0])
    return int(below[0]) if len(below) else -1


def _window_curve(kept: Reference) -> tuple[Array, Array]:
    """Returns k and the relative error of window(k), a run for each k."""
    T = kept.config.steps
    ks = np.unique(np.geomspace(1, T, min(T, WINDOWS)).round().astype(np.int64))
    full = kept.gradients.blocks
    size = np.sqrt(sum(float(np.vdot(block, block)) for block in full.values()))
    errors = []
    for k in ks:
        plan = plan_of(Config(steps=T, style="window", k=int(k)))
        found = backprop(kept.x.network, kept.x.params, kept.tape, plan).blocks
        errors.append(np.sqrt(sum(float(np.square(found[name] - full[name]).sum()) for name in full)) / size)
    return ks, np.array(errors)


