"""The readout and the loss in training: one product for all places, then as few passes over (places, V) as
there can be, a cache's worth of rows at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from engine.arrays import Array, Params
from engine.network import Network

FEW = 512  # outputs
CACHED = 1 << 19  # bytes of the rows that are taken together, so that they stay in the second-level cache


@dataclass(frozen=True)
class Score:
    """Sums over places of the loss (nats, or half the squared error), and of correct answers."""

    loss: float
    correct: float
    places: int


class Scorer:
    """The buffer of at most `places` outputs, and what is done with it. Places are steps times columns."""

    def __init__(self, network: Network, places: int, dtype: DTypeLike) -> None:
        self.network, self.few = network, network.outputs <= FEW
        self.ys = np.empty(places * network.outputs, dtype)
        self.rows = max(1, CACHED // (network.outputs * self.ys.itemsize))

    def outputs(self, params: Params, h: Array) -> Array:
        """Returns y (M, O) for h (H, M), in the buffer."""
        ys = self._product(params["W_hy"], h)
        if self.network.classify:
            return ys  # the bias is added where the rows are at hand anyway
        ys += params["b_y"]
        return ys

    def _product(self, W: Array, h: Array) -> Array:
        """Returns (W h)^T (M, O); a place's outputs lie side by side in memory, or, where they are few, the
        places do: rows that are too short make every pass slow."""
        wide, many = len(W), h.shape[1]
        room = self.ys[: wide * many]
        if self.few:
            return np.matmul(W, h, out=room.reshape(wide, many)).T
        return np.matmul(h.T, W.T, out=room.reshape(many, wide))

    def score(self, params: Params, h: Array, targets: Array) -> Score:
        """Returns the loss at places h (H, M); targets (M,) classes or (M, O) values. The buffer is used up."""
        return self._pass(params, self.outputs(params, h), targets, None)

    def gradients(self, params: Params, h: Array, targets: Array, scale: float, into: Params, dh: Array) -> Score:
        """Returns the loss as `score` does, and writes `scale` times its gradients: W_hy and b_y of `into`, and
        dh (H, M)."""
        ys = self.outputs(params, h)
        found = self._pass(params, ys, targets, scale)
        np.matmul(params["W_hy"].T, ys.T, out=dh)
        np.matmul(ys.T, h.T, out=into["W_hy"])
        np.matmul(np.ones(len(ys), ys.dtype), ys, out=into["b_y"])
        return found

    def _pass(self, params: Params, ys: Array, targets: Array, scale: float | None) -> Score:
        """Turns outputs into gradients in place, where a scale is given."""
        if not self.network.classify:
            ys -= targets
            loss = 0.5 * float(np.vdot(ys, ys))
            if scale is not None:
                ys *= ys.dtype.type(scale)
            return Score(loss, float("nan"), len(ys))
        loss = correct = 0.0
        for first in range(0, len(ys), self.rows):
            rows = slice(first, first + self.rows)
            one = cross_entropy(ys[rows], params["b_y"], targets[rows], scale)
            loss, correct = loss + one[0], correct + one[1]
        return Score(loss, correct, len(ys))


def cross_entropy(ys: Array, bias: Array, targets: Array, scale: float | None) -> tuple[float, int]:
    """Returns the sum of -log softmax(y + bias)[target], and how often no other output is larger than the
    target's. Where a scale is given, ys becomes scale * (softmax(y + bias) - onehot(target))."""
    places = np.arange(len(ys))
    ys += bias
    top = ys.max(axis=1)
    own = ys[places, targets] - top
    ys -= top[:, None]
    np.exp(ys, out=ys)
    total = ys.sum(axis=1)
    if scale is not None:
        ys *= (scale / total)[:, None].astype(ys.dtype, copy=False)
        ys[places, targets] -= ys.dtype.type(scale)
    loss = float(np.log(total).sum(dtype=np.float64) - own.sum(dtype=np.float64))
    return loss, int(np.count_nonzero(own == 0))
