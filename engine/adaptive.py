"""The truncation length that adaptive truncation would choose (Aicher, Foti & Fox 2019)."""

from __future__ import annotations

import numpy as np

from engine.arrays import Floats
from engine.diagnostics import Adaptive

TOLERANCE = 0.1


def adaptive_of(profile: Floats, sizes: Floats, square: float) -> Adaptive:
    """Returns the geometric decay estimate, the bound on the relative bias for every K, and the K chosen.

    profile (T,): phi_l, the losses' mean gradient norm at lag l; sizes (T,): |Gamma_l|, the norm of the
    lag's part of the gradient; square: |full gradient|^2. beta is the decay of log phi, by least squares
    over the lags from T/10 to T/2 that are not zero. With M the largest |Gamma_l| / phi_l seen, the bias
    is at most E(K) = M * sum over l >= K of phi_l, where phi beyond T/2 is taken from the fit; and
    delta(K) = E(K) / max over k <= K of (|gradient of sliding(k)| - E(k)), here with the full norm."""
    T = len(profile)
    lags = np.arange(T)
    seen = (lags >= T // 10) & (lags <= T // 2) & (profile > 0) & np.isfinite(profile)
    if seen.sum() < 3:
        return Adaptive(float("nan"), np.full(T, np.nan), -1, TOLERANCE)
    slope, offset = np.polyfit(lags[seen], np.log(profile[seen]), 1)
    beta = float(np.exp(slope))
    known = (profile > 0) & np.isfinite(sizes)
    M = float((sizes[known] / profile[known]).max())
    phi = np.where(lags <= T // 2, profile, np.exp(offset + slope * lags))
    beyond = np.exp(offset + slope * T) / (1 - beta) if beta < 1 else np.inf
    tail = M * (phi[::-1].cumsum()[::-1] + beyond)
    tail = np.append(tail[1:], M * beyond)  # E(K) for K = 1 ... T: the lags from K on
    room = np.maximum.accumulate(np.sqrt(square) - tail)
    bound = np.where(room > 0, tail / np.where(room > 0, room, 1.0), np.inf)
    good = np.flatnonzero(bound <= TOLERANCE)
    return Adaptive(beta, bound, int(good[0]) + 1 if len(good) else -1, TOLERANCE)
