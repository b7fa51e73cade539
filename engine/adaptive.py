"""The truncation length that adaptive truncation would choose (Aicher, Foti & Fox 2019)."""

from __future__ import annotations

import numpy as np

from engine.arrays import Floats
from engine.diagnostics import Adaptive

TOLERANCE = 0.1


def adaptive_of(profile: Floats, sizes: Floats, reached: Floats) -> Adaptive:
    """Returns the geometric decay estimate, the bound on the relative bias for every K, and the K chosen.

    profile (T,): phi_l, the mean norm of a loss' gradient with respect to the state l steps back, over the
    losses that have one, NaN where there is none; sizes (T,): |Gamma_l|, the norm of the lag's part of the
    gradient; reached (T,): |g_K|, the gradient of sliding(K) for K = 1 ... T, the last of them full BPTT.

    As in the paper: beta is the decay of log phi by least squares; from lag tau on phi is taken to be
    geometric; |bias of sliding(K)| <= E(K) = M * sum over l >= K of phi_l, the sum without an end; the
    relative bias is at most E(K) / max over k <= K of (|g_k| - E(k)); the smallest K within the tolerance
    is chosen. What differs from the paper, so that no bound is below the truth:
    - Expectations are means over this sequence's losses and batch, and tau is T/10.
    - beta is fitted to the lags from tau to T/2. The line is then raised until no phi_l from tau on is above
      it, where the paper's starts at phi_tau: a decay that slows down would rise above that.
    - M, in the paper a bound on |dh/dtheta|, is the largest |Gamma_l| / phi_l that was seen.
    - g_k is the gradient of the weights itself, where the authors' program adds up state gradients and has M = 1.
    - Where no K will do, -1 is chosen and not the longest."""
    T = len(profile)
    lags, tau = np.arange(T), T // 10
    known = (profile > 0) & np.isfinite(profile) & np.isfinite(sizes)
    fitted = known & (lags >= tau) & (lags <= T // 2)
    if fitted.sum() < 3:
        return Adaptive(float("nan"), np.full(T, np.nan), -1, TOLERANCE)
    log_phi = np.log(np.where(known, profile, 1.0))
    slope = float(np.polyfit(lags[fitted], log_phi[fitted], 1)[0])
    if slope >= 0:
        return Adaptive(float(np.exp(slope)), np.full(T, np.inf), -1, TOLERANCE)
    late = known & (lags >= tau)
    start = float((log_phi - slope * lags)[late].max())  # log of the line at lag 0
    K = np.arange(1, T + 1)
    head = np.append(np.where(known & (lags < tau), profile, 0.0)[::-1].cumsum()[::-1][1:], 0.0)
    M = float((sizes[known] / profile[known]).max())
    error = M * (head + np.exp(start + slope * np.maximum(K, tau)) / -np.expm1(slope))
    room = np.maximum.accumulate(reached - error)
    bound = np.where(room > 0, error / np.where(room > 0, room, 1.0), np.inf)
    good = np.flatnonzero(bound <= TOLERANCE)
    return Adaptive(float(np.exp(slope)), bound, int(good[0]) + 1 if len(good) else -1, TOLERANCE)
