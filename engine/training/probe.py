"""How far back the gradient reaches now: the last loss of a fixed held-out piece, swept back through all of it."""

from __future__ import annotations

from math import log, nan

import numpy as np

from engine.arrays import Array, Floats, Params, norm
from engine.network import Network, losses_and_gradients, readout
from engine.sweep import Sweep
from engine.training.streams import Stretch
from engine.truncation import full_plan
from engine.unroll import Scan

STEPS, ROWS = 100, 8  # of the piece, where the data have as many
FLOOR = 1e-12  # what has fallen to this part of the last step's norm says nothing more of how fast it falls
FEWEST = 3  # points of a fit


def piece_of(data: Stretch) -> Stretch:
    """Returns the piece that is probed: the first steps and columns, up to a step that has a loss."""
    end = int(np.flatnonzero(data.counts)[-1]) + 1
    end = min(end, STEPS) if data.counts[: STEPS].any() and data.counts[min(end, STEPS) - 1] else end
    return Stretch(data.xs[:end, ..., :ROWS], data.targets[:end, ..., :ROWS], data.counts[:end])


def probe(network: Network, params: Params, piece: Stretch) -> Floats:
    """Returns (P,): |dL_{P-1}/dh_t| over all layers per sample, then the mean over the samples. Double precision,
    full BPTT from the initial state: a vanished gradient is a small number, not 0."""
    P, N, H = piece.steps, piece.xs.shape[-1], network.hidden
    xs, targets = (x if x.ndim == 2 else x.astype(np.float64) for x in (piece.xs, piece.targets))
    zero = [np.zeros((network.state, N)) for _ in range(network.layers)]
    tapes = Scan(network, P, N).run(params, xs, zero, np.zeros(P, bool))
    ys = readout(params, tapes[-1].states[-1:, :H])
    dh = params["W_hy"].T @ losses_and_gradients(network, ys, targets[-1:])[1][0]
    sweep = Sweep(network, params, [tape.factors for tape in tapes], 1)
    sweep.run([np.zeros((H, 1, N))] * (P - 1) + [dh[:, None]], [full_plan(P)])
    return np.asarray(norm(np.concatenate([states[:, :H] for states in sweep.states], axis=1), 1).mean(axis=1))


def half_life(norms: Array) -> float:
    """Returns the steps back in which the norms (P,) halve, by least squares on their logarithms; NaN where
    they do not fall or are too few."""
    back = norms[::-1]
    sound = np.isfinite(back) & (back > FLOOR * back[0])
    many = len(back) if sound.all() else int(sound.argmin())
    if many < FEWEST:
        return nan
    slope = float(np.polyfit(np.arange(many), np.log(back[:many]), 1)[0])
    return -log(2.0) / slope if slope < 0 else nan
