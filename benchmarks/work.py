"""The same work for the engine and for PyTorch: an LSTM layer on given numbers, squared errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from engine.arrays import Params
from engine.backprop import Gradients, backprop
from engine.cells import CELLS
from engine.network import Network
from engine.truncation import full_plan
from engine.unroll import Data, Tape, unroll


@dataclass(frozen=True)
class Work:
    """One network with its parameters and data; T steps, H units, H inputs, one output."""

    network: Network
    params: Params
    data: Data

    def forward(self) -> Tape:
        return unroll(self.network, self.params, self.data, np.zeros(len(self.data.xs), bool))

    def gradients(self) -> Gradients:
        """Forward and backward: every weight gradient, and dL/dh_t and dL/dc_t of every step."""
        return backprop(self.network, self.params, self.forward(), full_plan(len(self.data.xs)))


def work(T: int, H: int, B: int = 1, seed: int = 0) -> Work:
    """Returns the work in float64, weights uniform in +-1/sqrt(H)."""
    rng = np.random.default_rng(seed)
    network = Network(CELLS["lstm", True], layers=1, inputs=H, hidden=H, outputs=1, embedding=0,
                      classify=False)
    params = {name: rng.uniform(-1, 1, shape) / np.sqrt(H) for name, shape in network.shapes().items()}
    data = Data(rng.standard_normal((T, H, B)), rng.standard_normal((T, 1, B)), np.ones(T, bool),
                (np.zeros((network.state, B)),))
    return Work(network, params, data)


@dataclass(frozen=True)
class Peer:
    """PyTorch on the same numbers, in three ways. Each computes all weight gradients and returns W_hh's."""

    fused: Callable[[], torch.Tensor]  # nn.LSTM
    loop: Callable[[], torch.Tensor]  # nn.LSTMCell in a Python loop that keeps the gradient of every h and c
    written: Callable[[], torch.Tensor]  # the same loop with the cell's equations as tensor operations


State = tuple[torch.Tensor, torch.Tensor]
Step = Callable[[torch.Tensor, State], State]


def peer(same: Work) -> Peer:
    """Returns PyTorch's ways; they take the mean over the batch as the engine does."""
    _, H, B = same.data.xs.shape
    hidden = same.network.hidden
    xs, targets = (torch.from_numpy(np.swapaxes(x, 1, 2).copy()) for x in (same.data.xs, same.data.targets))
    fused, cell, read = torch.nn.LSTM(H, hidden), torch.nn.LSTMCell(H, hidden), torch.nn.Linear(hidden, 1)
    load(fused, same.params, "_l0")
    load(cell, same.params, "")
    read.load_state_dict({"weight": torch.from_numpy(same.params["W_hy"]),
                          "bias": torch.from_numpy(same.params["b_y"])})

    def backward(module: torch.nn.Module, hs: torch.Tensor) -> None:
        module.zero_grad()
        read.zero_grad()
        (0.5 * torch.square(read(hs) - targets).sum() / B).backward()

    def by_fused() -> torch.Tensor:
        backward(fused, fused(xs)[0])
        return fused.weight_hh_l0.grad

    def by_loop(step: Step) -> torch.Tensor:
        backward(cell, _unrolled(step, xs, (torch.zeros(B, hidden), torch.zeros(B, hidden))))
        return cell.weight_hh.grad

    return Peer(by_fused, lambda: by_loop(cell), lambda: by_loop(partial(_step, cell)))


def _unrolled(step: Step, xs: torch.Tensor, state: State) -> torch.Tensor:
    """Returns every h, (T, B, H). The gradient of every h and c is kept, as it must be to be looked at."""
    kept = []
    for x in xs:
        state = step(x, state)
        for part in state:
            part.retain_grad()
        kept.append(state)
    return torch.stack([h for h, _ in kept])


def _step(cell: torch.nn.LSTMCell, x: torch.Tensor, state: State) -> State:
    h, c = state
    gates = x @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
    i, f, g, o = gates.chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def load(module: torch.nn.Module, params: Params, suffix: str) -> None:
    """PyTorch has two biases where the engine has their sum."""
    blocks = {"weight_ih": params["l0.W_ih"], "weight_hh": params["l0.W_hh"], "bias_ih": params["l0.b"],
              "bias_hh": np.zeros_like(params["l0.b"])}
    module.load_state_dict({name + suffix: torch.from_numpy(block) for name, block in blocks.items()})
