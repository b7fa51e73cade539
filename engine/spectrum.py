"""Step Jacobians: singular values, products over lags, Lyapunov exponents."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.diagnostics import Spectrum
from engine.jacobian import step_jacobian
from engine.phrases import number
from engine.reference import Reference

SAMPLED = 32  # steps whose singular values are taken
LAGS = 12  # lags at which the product's is taken


def spectrum(kept: Reference) -> Spectrum:
    """Returns the spectrum along the carried tape, for the first sample.

    Lyapunov exponents by QR of the running product (Benettin et al. 1980), over all steps but the first."""
    network, T = kept.x.network, kept.config.steps
    steps = np.unique(np.linspace(1, T - 1, min(T - 1, SAMPLED)).round().astype(np.int64))
    lags = np.unique(np.geomspace(1, T - 1, min(T - 1, LAGS)).round().astype(np.int64))
    singular: dict[int, Array] = {}
    stretch, log_det, Q = np.zeros(network.layers * network.state), 0.0, np.eye(network.layers * network.state)
    for t in range(1, T):
        J = step_jacobian(network, kept.x.params, kept.tape, t)
        if t in steps:
            singular[t] = np.linalg.svd(J, compute_uv=False)
        log_det += float(np.linalg.slogdet(J)[1])
        Q, R = np.linalg.qr(J @ Q)
        stretch += np.log(np.abs(np.diag(R)))
    products, bound = _products(kept, lags)
    exponents = np.sort(stretch / (T - 1))[::-1]
    verdict = "vanishing" if exponents[0] < -0.01 else "exploding" if exponents[0] > 0.01 else "stable"
    return Spectrum(
        steps, np.array([singular[t][0] for t in steps]), np.array([singular[t][-1] for t in steps]),
        lags, products, bound, exponents, log_det / (T - 1), _radii(kept), verdict, _sentence(verdict, exponents[0]))


def _products(kept: Reference, lags: Array) -> tuple[Array, Array]:
    """Returns the largest singular value of J_{T-1} ... J_{T-l} for each lag l, and the product of theirs.

    The product is kept as rows of length about 1 and a logarithm, so that it can neither vanish nor overflow."""
    T, wanted = kept.config.steps, set(lags.tolist())
    P, scale, log_bound = np.eye(kept.x.network.layers * kept.x.network.state), 0.0, 0.0
    out, bound = [], []
    for lag in range(1, T):
        J = step_jacobian(kept.x.network, kept.x.params, kept.tape, T - lag)
        P = P @ J
        size = float(np.abs(P).max())
        if size > 0:
            P, scale = P / size, scale + np.log(size)
        log_bound += np.log(_largest(J))
        if lag in wanted:
            out.append(np.exp(scale) * _largest(P))
            bound.append(np.exp(log_bound))
    return np.array(out), np.array(bound)


def _largest(A: Array) -> float:
    """Returns the largest singular value, from the Gram matrix: half the work of all of them."""
    return float(np.sqrt(max(float(np.linalg.eigvalsh(A.T @ A)[-1]), 0.0)))


def _radii(kept: Reference) -> dict[str, float]:
    """Returns the spectral radius of each gate's recurrent matrix."""
    H, out = kept.x.network.hidden, {}
    for name, block in kept.x.params.items():
        if name.endswith(".W_hh"):
            for gate in range(len(block) // H):
                out[f"{name}[{gate}]"] = float(np.abs(np.linalg.eigvals(block[gate * H : (gate + 1) * H])).max())
    return out


def _sentence(verdict: str, top: float) -> str:
    change = "keeps its size"
    if verdict != "stable":
        change = f"changes by a factor of {number(float(np.exp(top)))} per step"
    word = {"vanishing": "Gradients vanish here", "stable": "Gradients neither vanish nor explode here",
            "exploding": "Gradients explode here"}[verdict]
    return (f"{word}: along the direction that lasts longest, a gradient {change} "
            f"(largest Lyapunov exponent {number(top)}).")
