"""The one backward loop over time: the buffers of a sweep, and what happens at each edge.

A sweep carries one gradient per track of a plan; at each edge it is multiplied by the plan's weight. Several plans of
one track each may be swept side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from engine.arrays import Array, Params
from engine.cells.base import Views, flat, parts_of, split
from engine.network import Network, layer_params
from engine.truncation import Plan

Fill = Callable[[int, int], None]
Place = int | EllipsisType  # which of the plans that are swept side by side; `...` where there is one


class Crossing(NamedTuple):
    """What one plan does at an edge at which it does anything."""

    place: Place
    initial: bool  # the step starts from the initial state
    weight: Array | None  # (m, 1); None closes the edge, also to what is infinite


class Sweep:
    """The buffers of a sweep over at most T steps, and its loop. S state rows, A record rows, m tracks, B columns.
    `factors` has (F, B) for every layer and step. With `abreast` plans, each of one track, arrays have that axis, J,
    after the steps: what takes the time of a small network is the number of NumPy's calls, which stays the same.

    With one track, what the sweep carries at step t is kept where it stands; with more, the tracks
    share a buffer for all steps, and their sum is kept. Training keeps a sweep, bound to the arrays of its
    factors and weights, and runs it again for every window: it does not `keep` the states' gradients, and its
    records (T, A, B) lie in memory as (A, T, B), as the weights' gradients need them."""

    def __init__(self, network: Network, params: Params, factors: Sequence[Array | Sequence[Array]], m: int,
                 keep: bool = True, abreast: int = 1) -> None:
        self.network, self.cell, self.H, self.m, self.keep = network, network.cell, network.hidden, m, keep
        self.T, self.B, self.dtype = len(factors[0]), factors[0][0].shape[1], factors[0][0].dtype
        self.lead = (abreast,) if abreast > 1 else ()
        whole = not keep and network.cell.whole
        self.parts = parts_of(self.H, self.cell.gates * self.H, m * self.B) if whole else 1
        layers = range(network.layers)
        self.w = [self._weights(layer_params(params, layer)) for layer in layers]
        self.initial = [np.zeros((*self.lead, network.state, self.B), self.dtype) for _ in layers]
        self.states, self.records, self.before = list[Array](), list[Array](), list[Array]()
        self.ds, self.back, self.dA = list[list[Array]](), list[list[Array]](), list[list[Array]]()
        self.views = list[list[Views]]()
        for each in factors:
            (self._in_place if keep and m == 1 else self._shared)(each)
        self.top = [ds[..., : self.H, :, :] for ds in self.ds[-1]]

    def _weights(self, w: Params) -> Params:
        return {**w, "W_hh.T": split(w["W_hh"].T, self.parts)}

    def _in_place(self, factors: Array | Sequence[Array]) -> None:
        """Makes a layer's buffers for all steps, and cuts each of their views for all steps at once."""
        carried = self._room(self.T + 1, *self.lead, self.network.state, 1, self.B)
        dA = self._room(self.T, *self.lead, self.cell.records * self.H, 1, self.B)
        f = np.asarray(factors).reshape(self.T, *(1 for _ in self.lead), -1, self.H, 1, self.B)
        self.states.append(carried[1:, ..., 0, :])
        self.records.append(dA[..., 0, :])
        self.before.append(carried[0])
        self.ds.append(list(carried[1:]))
        self.back.append(list(carried[:-1]))
        self.dA.append(list(dA))
        self.views.append(list(zip(*self.cell.back_views(f, carried[1:], dA, carried[:-1], self.parts), strict=True)))

    def _shared(self, factors: Array | Sequence[Array]) -> None:
        """Makes a layer's buffers of a step, of which two take turns, and what is kept of all steps."""
        T, A, S = self.T, self.cell.records * self.H, self.network.state
        pair, before = [np.zeros((S, self.m, self.B), self.dtype) for _ in range(2)], self._room(S, self.m, self.B)
        self.states += [self._room(T, S, self.B)] if self.keep else []
        self.records.append(self._room(T, A, self.B) if self.keep else self._room(A, T, self.B).swapaxes(0, 1))
        self.before.append(before)
        self.ds.append([pair[t % 2] for t in range(T)])
        self.back.append([pair[(t - 1) % 2] if t else before for t in range(T)])
        self.dA.append([self._room(A, self.m, self.B)] * T)
        cut = (self.cell.back_views(f.reshape(-1, self.H, 1, self.B), ds, dA, back, self.parts) for f, ds, dA, back
               in zip(factors, self.ds[-1], self.dA[-1], self.back[-1], strict=True))
        self.views.append(list(cut))

    def _room(self, *shape: int) -> Array:
        return np.empty(shape, self.dtype)

    def run(self, dh: Array | Sequence[Array], plans: Sequence[Plan], fill: Fill | None = None, some: int = 1,
            after: Sequence[Array] | None = None, begins: bool = True) -> None:
        """Sweeps back over the plans' steps. dh, a (H, 1, B) a step, is dL_t/dh_t of the top layer, the readout's
        part. `fill` is called for `some` steps before these are swept, to write their factors. `after` (S, m, B) per
        layer comes back from beyond the last step; `begins` says whether step 0 starts from the initial state."""
        steps, top = plans[0].steps, self.top
        inject = np.stack([plan.inject for plan in plans], 1).astype(self.dtype)
        inject, plain = inject.reshape(steps, *self.lead, 1, self.m, 1), bool((inject == 1).all())
        if self.lead:  # at once for all steps: few numbers, as no plan has more than one track
            dh, plain = np.asarray(dh)[:, None] * inject, True
        crossings = _crossings(plans, bool(self.lead), begins, self.dtype)
        self._start(steps, after)
        for t in range(steps - 1, -1, -1):
            if fill and ((t + 1) % some == 0 or t == steps - 1):
                fill(t // some * some, t + 1)
            into = top[t]
            into += dh[t] if plain else dh[t] * inject[t]
            for layer in range(len(self.w) - 1, -1, -1):
                self._step(t, layer)
                for crossing in crossings[t]:
                    self._cross(layer, self.back[layer][t], crossing)

    def _start(self, steps: int, after: Sequence[Array] | None) -> None:
        """Nothing comes back from beyond the last step, unless it is given."""
        for layer, (ds, initial) in enumerate(zip(self.ds, self.initial, strict=True)):
            ds[steps - 1][...] = 0.0 if after is None else after[layer]
            initial.fill(0.0)

    def _step(self, t: int, layer: int) -> None:
        """One layer, one step back; hands the input's gradient to the layer below at the same step."""
        self.cell.back(self.w[layer], *self.views[layer][t])
        ds, dA = self.ds[layer][t], self.dA[layer][t]
        if layer:
            below = self.ds[layer - 1][t][..., : self.H, :, :]
            below += (self.w[layer]["W_ih"].T @ flat(self.cell.input_side(dA, -3))).reshape(below.shape)
        if self.m > 1 and self.keep:
            np.add.reduce(ds, axis=1, out=self.states[layer][t])
        if self.m > 1:
            np.add.reduce(dA, axis=1, out=self.records[layer][t])
        elif not self.keep:
            self.records[layer][t] = dA[:, 0]

    def _cross(self, layer: int, back: Array, crossing: Crossing) -> None:
        """What comes over the edge, in place; what reaches the initial state is summed."""
        mine = back[crossing.place]
        if crossing.initial:
            self.initial[layer][crossing.place] += mine.sum(axis=-2)
        if crossing.weight is None:
            mine.fill(0.0)
        else:
            mine *= crossing.weight


def _crossings(plans: Sequence[Plan], abreast: bool, begins: bool, dtype: DTypeLike) -> list[list[Crossing]]:
    """Returns, for each step, the plans that do something at the edge before it."""
    out: list[list[Crossing]] = [[] for _ in range(plans[0].steps)]
    for j, plan in enumerate(plans):
        edge, initial = plan.edge.astype(dtype)[:, :, None], plan.reset.copy()
        initial[0] |= begins
        closed = (edge == 0).all(axis=(1, 2))
        for t in np.flatnonzero(initial | (edge != 1).any(axis=(1, 2))).tolist():
            out[t].append(Crossing(j if abreast else ..., bool(initial[t]), None if closed[t] else edge[t]))
    return out
