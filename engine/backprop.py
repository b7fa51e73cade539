"""(tape, plan) -> gradients, and the state gradients of every step. Every style runs through the same lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, Params, frozen, norm
from engine.cells.base import Terms, ones
from engine.network import Network
from engine.sweep import Place, Sweep
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


@dataclass(frozen=True)
class Swept:
    """What a sweep leaves behind, before anything is summed over the steps."""

    states: tuple[Array, ...]  # per layer (T, S, B), per sample
    records: tuple[Array, ...]  # per layer (T, A, B), gradients of pre-activations per sample
    initial: tuple[Array, ...]  # per layer (S, B), per sample
    before: tuple[Array, ...]  # per layer (S, m, B), per sample


def backprop(network: Network, params: Params, tape: Tape, plan: Plan, after: Sequence[Array] | None = None,
             begins: bool = True) -> Gradients:
    """Returns the gradients of the plan's objective along the tape. Where the tape is a part of a longer one,
    `after` is the `before` of the part that follows, and `begins` says whether it starts in the initial state."""
    return gathered(network, params, tape, plan, swept(network, params, tape, [plan], after, begins)[0])


def swept(network: Network, params: Params, tape: Tape, plans: Sequence[Plan], after: Sequence[Array] | None = None,
          begins: bool = True) -> list[Swept]:
    """Returns what each plan's sweep along the tape leaves behind. Plans of one track each are swept side by side,
    with the same numbers, to the last bit, as by themselves; a plan with more tracks is swept alone."""
    abreast = len(plans)
    sweep = Sweep(network, params, [layer.factors for layer in tape.layers], plans[0].tracks, abreast=abreast)
    sweep.run(np.matmul(params["W_hy"].T, tape.dy)[:, :, None], plans, after=after, begins=begins)
    places: list[Place] = list(range(abreast)) if abreast > 1 else [...]
    return [Swept(tuple(x[:, j] for x in sweep.states), tuple(x[:, j] for x in sweep.records),
                  tuple(x[j] for x in sweep.initial), tuple(x[j].copy() for x in sweep.before)) for j in places]


def gathered(network: Network, params: Params, tape: Tape, plan: Plan, found: Swept) -> Gradients:
    """Returns the gradients that a plan's sweep found."""
    dy = tape.dy * plan.inject.sum(axis=1)[:, None, None]  # each loss as often as the plan counts it
    terms = _terms(network, params, tape, dy, found.records)
    B, flat = tape.losses.shape[1], _Once(_flat)
    blocks = frozen({name: _sum(pairs, params[name].shape, flat) / B for name, pairs in terms.items()})
    return Gradients(found.states, terms, blocks, tuple(ds / B for ds in found.initial), found.before)


def _terms(network: Network, params: Params, tape: Tape, dy: Array, records: Sequence[Array]) -> Terms:
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
