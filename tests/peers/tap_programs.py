"""PyTorch programs as people write them, each with the tap's three lines in it, or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.tasks.text import default_text

State = Any
Tapped = Callable[[nn.Module, torch.optim.Optimizer], Any]


class Characters(nn.Module):
    """A character model: symbols one-hot, a recurrent module, a readout."""

    def __init__(self, kind: str = "LSTM", symbols: int = 27, hidden: int = 16, **options: Any) -> None:
        super().__init__()
        self.symbols = symbols
        self.rnn = getattr(nn, kind)(symbols, hidden, **options)
        self.readout = nn.Linear(hidden, symbols)

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        one_hot = functional.one_hot(x, self.symbols).to(self.readout.weight.dtype)
        hs, state = self.rnn(one_hot, state)
        return self.readout(hs), state


def characters(T: int, B: int, symbols: int = 27) -> Tensor:
    """Returns (T, B) symbols of the built-in text: each row of the batch a piece of its own."""
    letters = [min(ord(c) - 96, symbols - 1) if c.isalpha() else 0 for c in default_text().lower()[: T * B]]
    return torch.tensor(letters).clamp(min=0).reshape(B, T).T.contiguous()


def detached(state: State) -> State:
    return tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()


@dataclass(frozen=True)
class Program:
    """How the character model is trained: which state goes on, and when the gradient is taken."""

    kind: str = "LSTM"
    k: int = 6
    windows: int = 4
    B: int = 3
    layers: int = 1
    dropout: float = 0.0
    batch_first: bool = False
    dtype: torch.dtype = torch.float32
    rate: float = 1e-2
    clip: float = 0.1
    carry: Callable[[State], State] = detached
    backward: str = "window"  # window: one a window; once: of all losses at the end; retain: one a window, one update


def train(program: Program, tapped: Tapped | None = None) -> tuple[list[float], list[Tensor], nn.Module]:
    """Returns the losses and the trained weights of a program, and the model."""
    torch.manual_seed(0)
    model = Characters(program.kind, num_layers=program.layers, dropout=program.dropout,
                       batch_first=program.batch_first).to(program.dtype)
    optimizer = torch.optim.SGD(model.parameters(), program.rate)
    tap = tapped(model, optimizer) if tapped else None
    losses, total, state = [], torch.zeros((), dtype=program.dtype), None
    for x, y in _batches(program):
        logits, state = model(x, state)
        each = functional.cross_entropy(logits.transpose(1, 2), y, reduction="none")
        if tap is not None:
            tap.loss(each)
        total = each.mean() if program.backward == "window" else total + each.mean()
        losses.append(each.mean().item())
        if program.backward == "window":
            _update(program, model, optimizer, total)
        elif program.backward == "retain":
            each.mean().backward(retain_graph=True)
        state = program.carry(state)
    if program.backward == "once":
        _update(program, model, optimizer, total)
    elif program.backward == "retain":
        optimizer.step()
    return losses, [p.detach().clone() for p in model.parameters()], model


def _batches(program: Program) -> Iterator[tuple[Tensor, Tensor]]:
    k, text = program.k, characters(program.k * program.windows + 1, program.B)
    for start in range(0, k * program.windows, k):
        pair = text[start : start + k], text[start + 1 : start + k + 1]
        yield tuple(each.T for each in pair) if program.batch_first else pair  # type: ignore[misc]


def _update(program: Program, model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), program.clip)
    optimizer.step()


@dataclass(frozen=True)
class Loop:
    """A cell loop's states and losses of every step, for asking autograd itself what is connected."""

    states: dict[str, list[Tensor]]
    losses: list[Tensor]

    def connected(self, name: str) -> list[list[int]]:
        return [[int(grad is not None) for grad in self._grads(name, s)] for s in range(len(self.losses))]

    def credit(self, name: str) -> list[list[float]]:
        B = len(self.states[name][0])
        return [[0.0 if grad is None else float(grad.norm(dim=1).mean()) * B for grad in self._grads(name, s)]
                for s in range(len(self.losses))]

    def _grads(self, name: str, s: int) -> list[Tensor | None]:
        """A loss or a state that is a constant to autograd cannot be asked about, and has no gradient."""
        if not self.losses[s].requires_grad:
            return [None] * len(self.losses)
        asked = [state for state in self.states[name] if state.requires_grad]
        found = iter(torch.autograd.grad(self.losses[s], asked, retain_graph=True, allow_unused=True))
        return [next(found) if state.requires_grad else None for state in self.states[name]]


def loop(T: int, cut: Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]], tapped: Tapped | None = None,
         B: int = 2, H: int = 4) -> Loop:
    """An LSTM cell loop whose state goes through `cut` before each step; one backward pass and update at its end."""
    torch.manual_seed(1)
    model = nn.ModuleDict({"cell": nn.LSTMCell(3, H), "readout": nn.Linear(H, 1)}).double()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    tap = tapped(model, optimizer) if tapped else None
    out = Loop({"h": [], "c": []}, [])
    h = c = torch.zeros(B, H, dtype=torch.float64)
    for t, x in enumerate(torch.randn(T, B, 3, dtype=torch.float64)):
        h, c = model["cell"](x, cut(t, h, c))
        loss = model["readout"](h).square().mean()
        if tap is not None:
            tap.step(h=h, c=c, loss=loss)
        out.states["h"].append(h)
        out.states["c"].append(c)
        out.losses.append(loss)
    if tap is not None:
        torch.stack(out.losses).sum().backward()
        optimizer.step()
    return out
