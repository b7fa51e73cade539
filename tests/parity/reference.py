"""A second implementation, in PyTorch: truncated BPTT as people write it, with detach() and backward().

Nothing of the engine is used. A style is a list of backward passes (tests/engine/passes.py), each a graph
of its own: it starts from the stored state of its first step, detached, and ends with backward() on the
pass' losses. Every step has its own copy of every parameter, so that a step's term of a gradient can be read off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tests.parity.cells import STEPS, State

Params = dict[str, Tensor]


@dataclass
class Problem:
    """What is run: parameter blocks by the engine's names, inputs (T, B[, D]), targets (T, B[, O]), the loss
    steps, and each layer's initial state, (B, H) tensors."""

    cell: str
    params: Params
    inputs: Tensor
    targets: Tensor
    loss_steps: list[int]
    initial: list[State]
    layers: int

    @property
    def steps(self) -> int:
        return len(self.inputs)


@dataclass
class Found:
    """Sums over passes: blocks (for the batch's mean loss), per-step state gradients (T, L, B, H) per part of the
    state, per-step terms of the blocks, gradients of the initial state (L, B, H) per part."""

    blocks: dict[str, np.ndarray]
    states: list[np.ndarray]
    terms: dict[str, np.ndarray]
    initial: list[np.ndarray]


@dataclass
class Graph:
    """One forward graph from `first` to `last`: what backward() leaves gradients on."""

    first: int
    copies: list[Params] = field(default_factory=list)
    states: list[list[State]] = field(default_factory=list)
    losses: dict[int, Tensor] = field(default_factory=dict)  # step -> (B,)


def forward(p: Problem, first: int, last: int, entering: list[State], again: Sequence[int],
            initial: list[State], edges: Sequence[float] = ()) -> Graph:
    """Returns the graph of steps first..last; at the steps `again` the state is `initial`. Where there are
    `edges`, the gradient that leaves step t for the step before is multiplied by edges[t]."""
    graph, state = Graph(first), entering
    for t in range(first, last + 1):
        copies = {name: block.clone() for name, block in p.params.items()}
        x = _input(copies, p.inputs[t])
        if edges and t > 0:
            state = [tuple(part.detach() + edges[t] * (part - part.detach()) for part in layer) for layer in state]
        state = list(initial) if t in again else list(state)
        for layer in range(p.layers):
            state[layer] = STEPS[p.cell](copies, f"l{layer}.", x, state[layer])
            x = state[layer][0]
        if t in p.loss_steps:
            graph.losses[t] = _loss(x @ copies["W_hy"].T + copies["b_y"], p.targets[t])
        graph.copies.append(copies)
        graph.states.append(state)
        _keep(copies, state)
    return graph


def _keep(copies: Params, state: list[State]) -> None:
    if not torch.is_grad_enabled():
        return
    for tensor in [*copies.values(), *(part for layer in state for part in layer)]:
        tensor.retain_grad()


def _input(copies: Params, x: Tensor) -> Tensor:
    if x.is_floating_point():
        return x
    if "E" in copies:
        return functional.embedding(x, copies["E"])
    width = copies["l0.W_ih"].shape[1]
    return functional.one_hot(x, width).double()


def _loss(y: Tensor, target: Tensor) -> Tensor:
    if target.is_floating_point():
        return 0.5 * functional.mse_loss(y, target, reduction="none").sum(dim=1)
    return functional.cross_entropy(y, target, reduction="none")


def truncated(p: Problem, todo: list[tuple[range, int]], again: Sequence[int],
              edges: Sequence[float] = ()) -> tuple[Found, np.ndarray]:
    """Returns the summed gradients of all passes, and each step's mean loss (T,), NaN where there is none."""
    for block in p.params.values():
        block.requires_grad_(True)
    with torch.no_grad():
        run = forward(p, 0, p.steps - 1, p.initial, again, p.initial)
    initial = [tuple(part.clone().requires_grad_() for part in layer) for layer in p.initial]
    found = _empty(p)
    for steps, first in todo:
        entering = initial if first == 0 else [tuple(x.detach() for x in layer) for layer in run.states[first - 1]]
        graph = forward(p, first, steps[-1], entering, again, initial, edges)
        objective = [graph.losses[s].sum() for s in steps if s in graph.losses]
        if objective:
            torch.stack(objective).sum().backward()
            _collect(found, graph)
    B = p.inputs.shape[1]
    found.blocks = {name: block.grad.numpy() / B for name, block in p.params.items()}
    found.initial = [np.stack([_grad(layer[part]) for layer in initial]) / B for part in range(len(p.initial[0]))]
    losses = np.full(p.steps, np.nan)
    for t, loss in run.losses.items():
        losses[t] = loss.mean()
    for block in p.params.values():
        block.grad = None
    return found, losses


def credit(p: Problem, again: Sequence[int]) -> list[np.ndarray]:
    """Returns, per part of the state, |dL_s/dstate_t| (R, T): one whole graph and one backward() per loss step."""
    out = [np.zeros((len(p.loss_steps), p.steps)) for _ in p.initial[0]]
    for block in p.params.values():
        block.requires_grad_(True)
    graph = forward(p, 0, p.steps - 1, p.initial, again, p.initial)
    for row, s in enumerate(p.loss_steps):
        for state in graph.states:
            for part in (part for layer in state for part in layer):
                part.grad = None
        graph.losses[s].sum().backward(retain_graph=True)
        for part, matrix in enumerate(out):
            matrix[row] = mean_norms(np.stack([_part(state, part) for state in graph.states]))
    for block in p.params.values():
        block.grad = None
    return out


def mean_norms(gradients: np.ndarray) -> np.ndarray:
    """(T, L, B, H) -> (T,): over all layers per sample, then the mean over the batch."""
    return np.sqrt(np.square(gradients).sum(axis=(1, 3))).mean(axis=1)


def _empty(p: Problem) -> Found:
    B, H = p.initial[0][0].shape
    states = [np.zeros((p.steps, p.layers, B, H)) for _ in p.initial[0]]
    return Found({}, states, {name: np.zeros((p.steps, *block.shape)) for name, block in p.params.items()}, [])


def _collect(found: Found, graph: Graph) -> None:
    for t, (copies, state) in enumerate(zip(graph.copies, graph.states, strict=True), graph.first):
        for name, block in copies.items():
            found.terms[name][t] += _grad(block)
        for part, total in enumerate(found.states):
            total[t] += _part(state, part)


def _part(state: list[State], part: int) -> np.ndarray:
    return np.stack([_grad(layer[part]) for layer in state])


def _grad(tensor: Tensor) -> np.ndarray:
    """A gradient that never arrived is zero."""
    return np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()
