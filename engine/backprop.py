"""The one backward sweep: (tape, plan) -> gradients, and the state gradients of every step.

Every style runs through the same lines; `full` is the plan of one window. The sweep carries one
gradient per track; at each edge it is multiplied by the plan's weight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, Params, frozen, norm
from engine.cells.base import Terms, Views, ones, parts_of, split
from engine.network import Network, layer_params
from engine.truncation import Plan
from engine.unroll import Tape


@dataclass(frozen=True)
class Gradients:
    """What one sweep gives. Per-step arrays are per sample (the loss of that sample alone);
    `blocks` and `initial` are gradients of the batch's mean loss, summed over the loss steps."""

    states: tuple[Array, ...]  # per layer (T, S, B): dL/dh_t, then dL/dc_t (through h_t too)
    terms: Terms  # block -> pairs whose products are the steps' terms of the block's gradient
    blocks: Params
    initial: tuple[Array, ...]  # per layer (S, B)
    before: tuple[Array, ...]  # per layer (S, m, B): what each track sends over the first step's edge, per sample


def backprop(network: Network, params: Params, tape: Tape, plan: Plan, after: Sequence[Array] | None = None,
             begins: bool = True) -> Gradients:
    """Returns the gradients of the plan's objective along the tape. Where the tape is a part of a longer one,
    `after` is the `before` of the part that follows, and `begins` says whether it starts in the initial state."""
    sweep = Sweep(network, params, [layer.factors for layer in tape.layers], plan.tracks)
    sweep.run(np.matmul(params["W_hy"].T, tape.dy)[:, :, None], plan, after=after, begins=begins)
    dy = tape.dy * plan.inject.sum(axis=1)[:, None, None]  # each loss as often as the plan counts it
    terms = _terms(network, params, tape, dy, sweep.records)
    B, flat = tape.losses.shape[1], _Once(_flat)
    blocks = frozen({name: _sum(pairs, params[name].shape, flat) / B for name, pairs in terms.items()})
    return Gradients(tuple(sweep.states), terms, blocks, tuple(ds / B for ds in sweep.initial),
                     tuple(sweep.before))


def state_gradients(network: Network, params: Params, tape: Tape, plan: Plan) -> tuple[Array, ...]:
    """Returns the plan's `Gradients.states` alone: without the sums over steps, a part of the time."""
    sweep = Sweep(network, params, [layer.factors for layer in tape.layers], plan.tracks)
    sweep.run(np.matmul(params["W_hy"].T, tape.dy)[:, :, None], plan)
    return tuple(sweep.states)


Fill = Callable[[int, int], None]


class Sweep:
    """The buffers of a sweep over at most T steps, and its loop. S state rows, A record rows, m tracks, B columns.
    `factors` has (F, B) for every layer and step.

    With one track, what the sweep carries at step t is kept where it stands; with more, the tracks
    share a buffer for all steps, and their sum is kept. Training keeps a sweep, bound to the arrays of its
    factors and weights, and runs it again for every window: it does not `keep` the states' gradients, and its
    records (T, A, B) lie in memory as (A, T, B), as the weights' gradients need them."""

    def __init__(self, network: Network, params: Params, factors: Sequence[Array | Sequence[Array]], m: int,
                 keep: bool = True) -> None:
        T, B, dtype = len(factors[0]), factors[0][0].shape[1], factors[0][0].dtype
        H, S, layers, A = network.hidden, network.state, range(network.layers), network.cell.records * network.hidden
        self.cell, self.H, self.summed, self.keep = network.cell, H, m > 1, keep
        self.parts = 1 if keep or not network.cell.whole else parts_of(H, network.cell.gates * H, m * B)
        self.w = [self._weights(layer_params(params, layer)) for layer in layers]
        self.factors = [list(each.reshape(T, -1, H, 1, B)) if isinstance(each, np.ndarray) else
                        [f.reshape(-1, H, 1, B) for f in each] for each in factors]
        self.states = [np.zeros((T, S, B), dtype) for _ in layers] if keep else []
        self.records = [np.empty((T, A, B), dtype) if keep else np.empty((A, T, B), dtype).swapaxes(0, 1)
                        for _ in layers]
        self.initial = [np.zeros((S, B), dtype) for _ in layers]
        self.before = [np.zeros((S, m, B), dtype) for _ in layers]  # before step 0
        if keep and m == 1:
            self.ds = [list(kept[:, :, None]) for kept in self.states]
        else:
            pairs = [(np.zeros((S, m, B), dtype), np.zeros((S, m, B), dtype)) for _ in layers]
            self.ds = [[pair[t % 2] for t in range(T)] for pair in pairs]
        self.dA = [list(kept[:, :, None]) if keep and m == 1 else [np.empty((A, m, B), dtype)] * T
                   for kept in self.records]
        self.top = [ds[:H] for ds in self.ds[-1]]
        self.views = [] if keep else [[self._cut(layer, t) for t in range(T)] for layer in layers]

    def _weights(self, w: Params) -> Params:
        return {**w, "W_hh.T": split(w["W_hh"].T, self.parts)}

    def _cut(self, layer: int, t: int) -> Views:
        back = self.ds[layer][t - 1] if t else self.before[layer]
        return self.cell.back_views(self.factors[layer][t], self.ds[layer][t], self.dA[layer][t], back, self.parts)

    def run(self, dh: Array | Sequence[Array], plan: Plan, fill: Fill | None = None, some: int = 1,
            after: Sequence[Array] | None = None, begins: bool = True) -> None:
        """Sweeps back over the plan's steps. dh, a (H, 1, B) a step, is dL_t/dh_t of the top layer, the readout's
        part. `fill` is called for `some` steps before these are swept, to write their factors. `after` (S, m, B) per
        layer comes back from beyond the last step; `begins` says whether step 0 starts from the initial state."""
        edge, inject = (x.astype(self.initial[0].dtype)[:, :, None] for x in (plan.edge, plan.inject))
        closed, opened = (edge == 0).all(axis=(1, 2)).tolist(), (edge == 1).all(axis=(1, 2)).tolist()
        reset, top, plain = plan.reset.tolist(), self.top, bool((inject == 1).all())
        self._start(plan.steps, after)
        for t in range(plan.steps - 1, -1, -1):
            if fill and ((t + 1) % some == 0 or t == plan.steps - 1):
                fill(t // some * some, t + 1)
            into = top[t]
            into += dh[t] if plain else dh[t] * inject[t]
            for layer in range(len(self.w) - 1, -1, -1):
                self.step(t, layer)
                back = self.ds[layer][t - 1] if t else self.before[layer]
                if reset[t] or (t == 0 and begins):
                    self.initial[layer] += back.sum(axis=1)
                if closed[t]:
                    back.fill(0.0)
                elif not opened[t]:
                    back *= edge[t]

    def _start(self, steps: int, after: Sequence[Array] | None) -> None:
        """Nothing comes back from beyond the last step, unless it is given."""
        for layer, (ds, initial) in enumerate(zip(self.ds, self.initial, strict=True)):
            ds[steps - 1][...] = 0.0 if after is None else after[layer]
            initial.fill(0.0)

    def step(self, t: int, layer: int) -> None:
        """One layer, one step back; hands the input's gradient to the layer below at the same step."""
        self.cell.back(self.w[layer], *(self.views[layer][t] if self.views else self._cut(layer, t)))
        if layer:
            into = self.cell.input_side(self.dA[layer][t], 0)
            below = self.ds[layer - 1][t][: self.H]
            below += (self.w[layer]["W_ih"].T @ into.reshape(into.shape[0], -1)).reshape(below.shape)
        if self.summed and self.keep:
            np.add.reduce(self.ds[layer][t], axis=1, out=self.states[layer][t])
        if self.summed:
            np.add.reduce(self.dA[layer][t], axis=1, out=self.records[layer][t])
        elif not self.keep:
            self.records[layer][t] = self.dA[layer][t][:, 0]


def _terms(network: Network, params: Params, tape: Tape, dy: Array, records: list[Array]) -> Terms:
    """Returns every block's pairs, in the order of the network's blocks."""
    terms: Terms = {}
    for layer, (kept, dA) in enumerate(zip(tape.layers, records, strict=True)):
        terms.update({f"l{layer}.{name}": pairs for name, pairs in network.cell.terms(kept, dA).items()})
    if tape.embedded_from is not None:
        dx = np.matmul(params["l0.W_ih"].T, network.cell.input_side(records[0], 1))
        terms["E"] = [(tape.embedded_from, dx)]
    h = tape.layers[-1].states[:, : network.hidden]
    terms |= {"W_hy": [(dy, h)], "b_y": [(dy, ones(dy))]}
    return {name: terms[name] for name in network.shapes()}


class _Once:
    """What is made of an array once, however many terms it stands in: views of the same memory count as one."""

    def __init__(self, make: Callable[[Array], Array]) -> None:
        self.make, self.made = make, dict[tuple[object, ...], Array]()

    def __call__(self, x: Array) -> Array:
        place = (x.__array_interface__["data"][0], x.shape, x.strides)
        if place not in self.made:
            self.made[place] = self.make(x)
        return self.made[place]


def _sum(pairs: list[tuple[Array, Array]], shape: tuple[int, ...], flat: _Once) -> Array:
    """Returns the sum over steps and columns of left * right, in one product a pair."""
    parts = [flat(left).T @ flat(right) for left, right in pairs]
    return np.concatenate(parts).reshape(shape)


def _flat(x: Array) -> Array:
    """(T, P, N) -> (T*N, P); no copy where N is 1."""
    return np.swapaxes(x, 1, 2).reshape(-1, x.shape[1])


def contributions(gradients: Gradients) -> dict[str, Array]:
    """Returns, per block, (T,): the norm of each step's term of the block's gradient."""
    out, gram = {}, _Once(_gram)
    for name, pairs in gradients.terms.items():
        parts = [_product_norm(left, right, gram) for left, right in pairs]
        out[name] = np.hypot.reduce(parts, axis=0) / pairs[0][0].shape[2]
    return out


def _gram(x: Array) -> Array:
    """(T, P, N) -> (T, N, N): each step's products of columns."""
    return np.asarray(np.matmul(np.swapaxes(x, 1, 2), x))


def _product_norm(left: Array, right: Array, gram_of: _Once) -> Array:
    """(T,): |sum_n l_n r_n^T|, from |.|^2 = sum_{n,n'} (l_n . l_n')(r_n . r_n'): two small Gram products
    a step. Steps at which that would lose digits, because samples cancel or squares leave the range of
    double precision, are multiplied out."""
    gram = gram_of(left) * gram_of(right)
    squares, size = gram.sum(axis=(1, 2)), np.abs(gram).sum(axis=(1, 2))
    out = np.sqrt(np.maximum(squares, 0.0))
    sound = (squares > 1e-3 * size) & (size > 1e-280) & np.isfinite(size)
    for t in np.flatnonzero(~sound):
        out[t] = norm((left[t] @ right[t].T).ravel(), 0)
    return np.asarray(out)
