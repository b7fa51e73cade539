"""Step Jacobians: singular values, products over lags, Lyapunov exponents.

One pass goes back over the Jacobians, as the gradient does. Singular values of products and the bound
are the longer half of the work, and can be left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.arrays import Array
from engine.diagnostics import Spectrum
from engine.jacobian import step_jacobian
from engine.phrases import number
from engine.reference import Reference

SAMPLED = 32  # steps whose singular values are taken
LAGS = 12  # lags at which the product's is taken


def spectrum(kept: Reference, products: bool = True) -> Spectrum:
    """Returns the spectrum along the carried tape, for the first sample, over all steps but the first.

    Lyapunov exponents by QR of the running product of transposed Jacobians (Benettin et al. 1980), which
    is what a gradient is multiplied by on its way back. NaN where a Jacobian is not finite."""
    network, T = kept.x.network, kept.config.steps
    n = network.layers * network.state
    steps, lags = _spread(np.linspace(1, T - 1, min(T - 1, SAMPLED))), np.zeros(0, np.int64)
    if products:
        lags = _spread(np.geomspace(1, T - 1, min(T - 1, LAGS)))
    singular = {int(t): np.full(2, np.nan) for t in steps}
    stretch, Q, running = np.zeros(n), np.eye(n), _Products(n, set(lags.tolist()))
    for t in range(T - 1, 0, -1):
        J = step_jacobian(network, kept.x.params, kept.tape, t)
        if not np.isfinite(J).all():
            stretch = np.full(n, np.nan)
            break
        if t in singular:
            singular[t] = np.linalg.svd(J, compute_uv=False)[[0, -1]]
        Q, R = np.linalg.qr(J.T @ Q)
        stretch += np.log(np.abs(np.diag(R)))  # their sum is log|det J|
        if products:
            running.take(J, T - t)
    exponents = np.sort(stretch / (T - 1))[::-1]
    verdict = _verdict(float(exponents[0]))
    ends = np.array([singular[int(t)] for t in steps])
    missing = [float("nan")] * (len(lags) - len(running.logs))
    log_product, log_bound = np.array(running.logs + missing), np.array(running.bounds + missing)
    return Spectrum(
        steps, ends[:, 0], ends[:, 1], lags, 10.0**log_product, 10.0**log_bound, log_product, log_bound,
        exponents, float(stretch.sum()) / (T - 1), _radii(kept), verdict, _sentence(verdict, float(exponents[0])))


def _spread(values: Array) -> Array:
    return np.unique(values.round().astype(np.int64))


@dataclass
class _Products:
    """J_{T-1} ... J_{T-l} over growing lags l, as a matrix of size about 1 and a logarithm, so that it can
    neither vanish nor overflow; and the product of the factors' largest singular values, as a logarithm."""

    n: int
    wanted: set[int]
    log_scale: float = 0.0
    log_bound: float = 0.0
    logs: list[float] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.P = np.eye(self.n)

    def take(self, J: Array, lag: int) -> None:
        self.P = self.P @ J
        size = float(np.abs(self.P).max())
        if size > 0:
            self.P, self.log_scale = self.P / size, self.log_scale + float(np.log10(size))
        self.log_bound += float(np.log10(_largest(J)))
        if lag in self.wanted:
            self.logs.append(self.log_scale + float(np.log10(_largest(self.P))))
            self.bounds.append(self.log_bound)


def _largest(A: Array) -> float:
    """Returns the largest singular value, from the Gram matrix: half the work of all of them."""
    size = float(np.abs(A).max())
    unit = A / (size or 1.0)
    return size * float(np.sqrt(np.linalg.eigvalsh(unit.T @ unit)[-1])) if size else 0.0


def _radii(kept: Reference) -> dict[str, float]:
    """Returns the spectral radius of each gate's recurrent matrix."""
    H, out = kept.x.network.hidden, {}
    for name, block in kept.x.params.items():
        if name.endswith(".W_hh"):
            for gate in range(len(block) // H):
                W = block[gate * H : (gate + 1) * H]
                size = float(np.abs(W).max()) or 1.0
                out[f"{name}[{gate}]"] = size * float(np.abs(np.linalg.eigvals(W / size)).max())
    return out


def _verdict(top: float) -> str:
    if np.isnan(top):
        return "undefined"
    return "vanishing" if top < -0.01 else "exploding" if top > 0.01 else "stable"


def _sentence(verdict: str, top: float) -> str:
    if verdict == "undefined":
        return "The step Jacobians are not finite, so nothing can be said of their products."
    if np.isneginf(top):
        return "Gradients vanish here: nothing at all gets from the last step to the first."
    change = "keeps its size"
    if verdict != "stable":
        change = f"changes by a factor of {number(float(np.exp(top)))} per step"
    word = {"vanishing": "Gradients vanish here", "stable": "Gradients neither vanish nor explode here",
            "exploding": "Gradients explode here"}[verdict]
    return (f"{word}: along the direction that lasts longest, a gradient {change} "
            f"(largest Lyapunov exponent {number(top)}).")
