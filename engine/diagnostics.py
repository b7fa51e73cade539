"""What the deeper diagnostics return: frozen dataclasses, as in `traces`. (leaf)

All of them are about full BPTT with the state carried, for these weights and these data.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.arrays import Floats, Ints


@dataclass(frozen=True)
class Adaptive:
    """Adaptive truncation's view (Aicher, Foti & Fox 2019)."""

    beta: float  # estimated decay of the state's gradient per step back; NaN if it cannot be estimated
    bound: Floats  # (T,) bound on the relative bias of sliding(K), for K = 1 ... T; inf where there is none
    chosen: int  # the smallest K whose bound is within the tolerance; -1 if there is none
    tolerance: float


@dataclass(frozen=True)
class BiasCurve:
    """The relative error of the truncated gradient against k."""

    sliding: Floats  # (T,) of sliding(k) for k = 1 ... T, whole gradient
    sliding_blocks: dict[str, Floats]  # block -> (T,); W_hy and b_y have no error and are left out
    window_k: Ints  # (W,) the k at which window(k) was run
    window: Floats  # (W,)
    share_by_lag: Floats  # (T,) signed share <part of lag l, whole> / |whole|^2 of the recurrent blocks
    readout_share: float  # that of W_hy and b_y; with share_by_lag it sums to 1
    norm_by_lag: Floats  # (T,) mean of |dL_s/dh_{s-l}| over the samples and the losses at s >= l; NaN if none
    smallest_k: dict[str, int]  # "0.1", "0.01", "0.001" -> the smallest k of sliding with at most that error
    half_life: int  # steps back until norm_by_lag has halved; -1 if it never has
    adaptive: Adaptive
    sentence: str = ""


@dataclass(frozen=True)
class Paths:
    """The state gradient of the top layer, split by the way it came, as signed shares that sum to 1."""

    of: str  # "c" for the LSTM, "h" otherwise: the gradient that is split
    shares: dict[str, Floats]  # way -> (T,): "highway", each gate, "readout"; NaN where the gradient is 0
    rule: Floats | None  # (T,) the 1997 rule for the last loss: |dL_s/dc_s * product of forget gates|; LSTM only
    truth: Floats | None  # (T,) |dL_s/dc_t| of the same loss
    factor: float  # truth / rule at step 0; NaN where there is no rule
    sentence: str = ""


@dataclass(frozen=True)
class Spectrum:
    """Step Jacobians ds_t/ds_{t-1} of the whole state, all layers, for the first sample."""

    steps: Ints  # (n,) the steps whose singular values were taken
    largest: Floats  # (n,) largest singular value of the step's Jacobian
    smallest: Floats  # (n,)
    lags: Ints  # (m,) lags of the products that end at the last step
    product_largest: Floats  # (m,) largest singular value of the product over the lag; 0 or inf out of range
    bound: Floats  # (m,) product of the steps' largest singular values: never smaller (Pascanu et al. 2013)
    log10_product: Floats  # (m,) log10 of both, which are never out of range; -inf where they are 0
    log10_bound: Floats  # (m,)
    lyapunov: Floats  # (L*S,) Lyapunov exponents per step, descending; -inf where the Jacobians are singular
    log_det: float  # mean of log|det J_t|: their sum
    spectral_radius: dict[str, float]  # of each gate's recurrent matrix, per layer
    verdict: str  # "vanishing", "stable" or "exploding"; "undefined" where a Jacobian is not finite
    sentence: str = ""


@dataclass(frozen=True)
class Gates:
    """The gates' activity in the top layer."""

    mean: dict[str, Floats]  # gate -> (T,) mean over units and batch
    closed: dict[str, Floats]  # gate -> (T,) share of units below 0.1
    open: dict[str, Floats]  # gate -> (T,) share of units above 0.9
    memory: Floats | None  # (H,) -1 / log of the unit's geometric mean retention (f or z), in steps, descending
    sentence: str = ""


@dataclass(frozen=True)
class Draws:
    """Many draws of random(p) beside the full gradient."""

    p: float
    cosine: Floats  # (n,)
    relative_error: Floats  # (n,)
    kept: Floats  # (n,)
    mean_error: float  # relative error of the draws' mean
    h_mean: Floats  # (T,) mean over draws of |dL/dh_t|
    h_spread: Floats  # (T,) standard deviation over draws
    sentence: str = ""
