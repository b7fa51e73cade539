"""One update: forward over a piece, loss, backward, and, when it is time, clipping and the optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from engine.arrays import Array
from engine.network import Network
from engine.optim import Optimiser, clip, flat_norm
from engine.sweep import Sweep
from engine.training.blocks import Blocks
from engine.training.gradients import Sums
from engine.training.lab import Lab
from engine.training.pieces import Piece, longest, losses_in, plan_of_piece
from engine.training.scoring import Score, Scorer
from engine.training.strategies import Strategy
from engine.training.streams import Stretch, places
from engine.unroll import CACHED, Scan

State = tuple[Array, ...]  # per layer (S, B)


@dataclass(frozen=True)
class Change:
    """What an update did: the gradient's norm before clipping, what was clipped, whether it was finite."""

    norm: float
    clipped: float
    finite: bool


class Step:
    """The weights of a lane, and every array that an update needs: made once, used again."""

    def __init__(self, network: Network, lab: Lab, strategy: Strategy, steps: int) -> None:
        self.network, self.lab, self.strategy = network, lab, strategy
        self.blocks, self.grads = Blocks(network, lab.dtype), Blocks(network, lab.dtype)
        self.extra = Blocks(network, lab.dtype) if lab.update == "sequence" else self.grads
        self.optimiser = Optimiser(lab.optimiser, self.blocks.flat.size, lab.dtype)
        T, B = longest(strategy, steps), lab.batch
        self.scan = Scan(network, T, B, lab.dtype, quick=True)
        self.some = max(1, CACHED // (network.cell.gates * network.hidden * B))  # steps whose factors are at hand
        rows = network.cell.slopes * network.hidden
        self.factors = [np.empty((min(self.some, T), rows, B), lab.dtype) for _ in range(lab.layers)]
        read = losses_in(strategy, steps)
        self.scorer = Scorer(network, read * B, lab.dtype)
        self.sums = Sums(network, strategy.frozen)
        self.h, self.dh = np.empty((2, network.hidden * read * B), lab.dtype)
        self.sweeps: dict[int, Sweep] = {}
        self.summed = 0  # pieces since the last update

    def initial(self) -> State:
        """Returns the initial state: zeros."""
        shape = (self.network.state, self.lab.batch)
        return tuple(np.zeros(shape, self.lab.dtype) for _ in range(self.network.layers))

    def run(self, stretch: Stretch, piece: Piece, state: State, scale: float) -> Score:
        """Runs over a piece from a state, and adds `scale` times the gradient of its losses to what the next
        update is made of. Returns the losses' score."""
        params, now = self.blocks.views, slice(piece.first, piece.end)
        counted = np.flatnonzero(stretch.counts[piece.start : piece.end]) + (piece.start - piece.first)
        tapes = self.scan.run(params, stretch.xs[now], state, np.zeros(piece.steps, bool))
        if not len(counted):
            return Score(0.0, 0.0, 0)
        into = self.extra if self.summed else self.grads
        h, dh = (self._buffer(room, len(counted)) for room in (self.h, self.dh))
        hs = np.swapaxes(tapes[-1].states[:, : self.network.hidden], 0, 1)
        h[...] = hs if len(counted) == piece.steps else hs[:, counted]
        score = self.scorer.gradients(params, _flat(h), places(stretch.targets[now], counted), scale, into.views,
                                      _flat(dh))
        plan = plan_of_piece(self.strategy, piece.steps, piece.new)
        sweep = self._sweep(plan.tracks)

        def fill(first: int, end: int) -> None:
            for tape, room in zip(tapes, self.factors, strict=True):
                tape.write_factors(slice(first, end), room[: end - first])

        sweep.run(self._by_step(dh, counted, piece.steps), [plan], fill, self.some)
        self.sums.write(params, tapes, sweep.records, into.views)
        if self.summed:
            self.grads.flat += self.extra.flat
        self.summed += 1
        return score

    def after(self, steps: int) -> State:
        """Returns the state after so many steps of the last piece; a copy."""
        return tuple(states[steps].copy() for states in self.scan.states)

    def update(self, rate: float) -> Change:
        """Applies what was summed since the last update, unless it is not finite."""
        self.summed, flat = 0, self.grads.flat
        norm = flat_norm(flat)
        if not isfinite(norm):
            return Change(norm, 0.0, False)
        clipped = clip(flat, self.lab.clip_by, self.lab.clip, norm)
        self.optimiser.update(self.blocks.flat, flat, rate)
        return Change(norm, clipped, True)

    def _sweep(self, tracks: int) -> Sweep:
        if tracks not in self.sweeps:
            factors = [[room[t % self.some] for t in range(len(self.scan.pre[0]))] for room in self.factors]
            self.sweeps[tracks] = Sweep(self.network, self.blocks.views, factors, tracks, keep=False)
        return self.sweeps[tracks]

    def _buffer(self, room: Array, steps: int) -> Array:
        """Returns (H, steps, B) in a flat buffer."""
        H, B = self.network.hidden, self.lab.batch
        return room[: H * steps * B].reshape(H, steps, B)

    def _by_step(self, dh: Array, counted: Array, steps: int) -> list[Array]:
        """Returns (H, 1, B) for every step, zero where no loss is read."""
        out = [np.zeros((len(dh), 1, dh.shape[2]), dh.dtype)] * steps
        for place, t in enumerate(counted.tolist()):
            out[t] = dh[:, place, None]
        return out


def _flat(x: Array) -> Array:
    """(H, T, B) -> (H, T*B), without a copy."""
    return x.reshape(len(x), -1)
