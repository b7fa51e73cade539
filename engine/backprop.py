"""(tape, plan) -> gradients, and the state gradients of every step. Every style runs through the same lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.arrays import Array, Params, frozen
from engine.cells.base import Terms, ones
from engine.network import Network
from engine.sweep import Place, Sweep
from engine.terms import Once, flattened, gram, same, summed
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
    grams: Once = field(default_factory=lambda: Once(gram))  # of the terms' sides


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


def gathered(network: Network, params: Params, tape: Tape, plan: Plan, found: Swept,
             beside: Gradients | None = None) -> Gradients:
    """Returns the gradients that a plan's sweep found. What they have in common with others of the same tape, which
    stand `beside` them, is taken from there: the readout's, where each loss counts once."""
    often = plan.inject.sum(axis=1)  # each loss as often as the plan counts it
    dy = tape.dy if (often == 1).all() else tape.dy * often[:, None, None]
    terms = _terms(network, params, tape, dy, found.records)
    B, flat = tape.losses.shape[1], Once(flattened)
    blocks = {name: beside.blocks[name] if beside is not None and same(pairs, beside.terms[name])
              else summed(pairs, params[name].shape, flat) / B for name, pairs in terms.items()}
    grams = Once(gram, None if beside is None else beside.grams)
    return Gradients(found.states, terms, frozen(blocks), tuple(ds / B for ds in found.initial), found.before, grams)


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
