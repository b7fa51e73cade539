"""PyTorch's own recurrent modules on a random problem."""

from __future__ import annotations

import torch
from torch import nn

from tests.engine.peer_answers import Answer, Sizes, data, numbers

CONVENTION, LIBRARY = "pytorch", "torch"
KEYS = [("lstm", True), ("gru", True), ("rnn", True)]
MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class Model(nn.Module):
    def __init__(self, cell: str, z: Sizes) -> None:
        super().__init__()
        self.rnn = MODULES[cell](z.D, z.H, z.layers, dtype=torch.float64)
        self.readout = nn.Linear(z.H, z.O, dtype=torch.float64)


def answer(key: tuple[str, bool], z: Sizes, seed: int = 0) -> Answer:
    cell, reset_after = key
    model = Model(cell, z)
    weights = numbers(seed, {name: tuple(p.shape) for name, p in model.named_parameters()})
    model.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    names = ("h_0", "c_0") if cell == "lstm" else ("h_0",)
    states = numbers(seed + 1, dict.fromkeys(names, (z.layers, z.B, z.H)))
    entering = {name: torch.tensor(array, requires_grad=True) for name, array in states.items()}
    inputs, targets = data(seed, z)
    start = (entering["h_0"], entering["c_0"]) if cell == "lstm" else entering["h_0"]
    outputs, _ = model.rnn(torch.tensor(inputs), start)
    loss = 0.5 * (model.readout(outputs) - torch.tensor(targets)).square().sum() / z.B
    loss.backward()
    return Answer(LIBRARY, torch.__version__, CONVENTION, cell, reset_after, inputs, targets, weights, states,
                  outputs.detach().numpy(), loss.item(), {n: p.grad.numpy() for n, p in model.named_parameters()},
                  {name: tensor.grad.numpy() for name, tensor in entering.items()})
