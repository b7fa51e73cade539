"""A training step beside PyTorch's, as ratios within one run: `python -m benchmarks.training`.

Processor time, of all threads of the process: both run on one thread, and neither waits for anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from benchmarks.timing import machine, medians
from engine.arrays import Params, quiet_single_thread
from engine.cells import CELLS
from engine.network import Network
from engine.training.lab import Lab
from engine.training.pieces import Piece
from engine.training.step import Step
from engine.training.strategies import Strategy
from engine.training.streams import Stretch

CLIP, RATE = 5.0, 0.002


@dataclass(frozen=True)
class Size:
    """T steps, B rows, H units, V symbols, embedding width."""

    T: int
    B: int
    H: int
    V: int
    embedding: int
    fused: float  # times nn.LSTM's speed that are wanted
    steps: int  # of a turn: one after the other, as a training goes


SIZES = (Size(25, 32, 128, 65, 64, 1.0, 8), Size(35, 20, 200, 10_000, 200, 1.0, 2), Size(100, 1, 32, 65, 32, 0.5, 10))
LOOP = 3.0  # times the speed of the cell loop that are wanted


def engine(size: Size, stretch: Stretch) -> tuple[Callable[[], float], Params]:
    """Returns the engine's step, and its weights: views that change."""
    lab = Lab(hidden=size.H, batch=size.B, embedding=size.embedding, clip=CLIP, strategies=(Strategy(k=size.T),))
    network = Network(CELLS["lstm", True], 1, size.V, size.H, size.V, size.embedding, classify=True)
    step = Step(network, lab, lab.strategies[0], size.T)
    rng = np.random.default_rng(0)
    bound = 1 / np.sqrt(size.H)
    step.blocks.load({name: rng.standard_normal(shape) if name == "E" else rng.uniform(-bound, bound, shape)
                      for name, shape in network.shapes().items()})
    states = [step.initial()]
    piece, scale = Piece(0, 0, size.T), 1 / (size.T * size.B)

    def once() -> float:
        score = step.run(stretch, piece, states[0], scale)
        states[0] = step.after(size.T)
        step.update(RATE)
        return score.loss / score.places

    return once, step.blocks.views


class Peer:
    """PyTorch's modules on the same weights: nn.LSTM, or nn.LSTMCell in a loop that keeps every step's gradient."""

    def __init__(self, size: Size, stretch: Stretch, params: Params, loop: bool) -> None:
        self.x, self.y = torch.from_numpy(stretch.xs), torch.from_numpy(stretch.targets)
        self.embedding, self.read = torch.nn.Embedding(size.V, size.embedding), torch.nn.Linear(size.H, size.V)
        self.cell = torch.nn.LSTMCell(size.embedding, size.H) if loop else torch.nn.LSTM(size.embedding, size.H)
        self.loop, self.loss = loop, torch.nn.CrossEntropyLoss()
        self.parameters = [*self.embedding.parameters(), *self.cell.parameters(), *self.read.parameters()]
        self._load(params)
        self.adam = torch.optim.Adam(self.parameters, lr=RATE)
        self.state = (torch.zeros(size.B, size.H), torch.zeros(size.B, size.H))

    def _load(self, params: Params) -> None:
        """Gives the modules the weights; PyTorch has two biases where the engine has one: the second stays zero."""
        copies = {name: torch.from_numpy(block.copy()) for name, block in params.items()}
        zero = torch.zeros_like(copies["l0.b"])
        blocks = [copies[f"l0.{name}"] for name in ("W_ih", "W_hh", "b")]
        values = [copies["E"], *blocks, zero, copies["W_hy"], copies["b_y"]]
        with torch.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(value)
        for name, parameter in self.cell.named_parameters():
            parameter.requires_grad_("bias_hh" not in name)

    def once(self) -> float:
        self.adam.zero_grad()
        hs = self._looped() if self.loop else self._fused()
        loss = self.loss(self.read(hs).flatten(0, 1), self.y.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.adam.step()
        return loss.item()

    def _fused(self) -> torch.Tensor:
        hs, after = self.cell(self.embedding(self.x), tuple(part[None] for part in self.state))
        self.state = tuple(part.detach()[0] for part in after)
        return hs

    def _looped(self) -> torch.Tensor:
        state, kept = self.state, []
        for x in self.embedding(self.x):
            state = self.cell(x, state)
            for part in state:
                part.retain_grad()
            kept.append(state)
        self.state = tuple(part.detach() for part in state)
        return torch.stack([h for h, _ in kept])


def beside_pytorch(size: Size, rounds: int) -> None:
    """Prints how many times faster than PyTorch a training step is, on the same weights and symbols."""
    rng = np.random.default_rng(1)
    xs, targets = rng.integers(size.V, size=(2, size.T, size.B))
    stretch = Stretch(xs, targets, np.ones(size.T, bool))
    ours, params = engine(size, stretch)
    fused, loop = (Peer(size, stretch, params, looped) for looped in (False, True))
    _agree([ours() for _ in range(5)], *([peer.once() for _ in range(5)] for peer in (fused, loop)))
    ways = {"engine": ours, "nn.LSTM": fused.once, "nn.LSTMCell loop": loop.once}
    turns = medians({name: partial(_turn, once, size.steps) for name, once in ways.items()}, rounds,
                    time.process_time)
    taken = {name: seconds / size.steps for name, seconds in turns.items()}
    print(f"training step, LSTM, T={size.T}, B={size.B}, H={size.H}, V={size.V}, embedding {size.embedding}, "
          f"float32, one thread: {taken['engine'] * 1e3:.2f} ms")
    for name, wanted in (("nn.LSTM", size.fused), ("nn.LSTMCell loop", LOOP)):
        print(f"  PyTorch {torch.__version__} {name}: {taken[name] * 1e3:.2f} ms, "
              f"{taken[name] / taken['engine']:.2f} times the engine's (wanted: {wanted:g})")


def _turn(once: Callable[[], float], steps: int) -> None:
    for _ in range(steps):
        once()


def _agree(ours: list[float], *others: list[float]) -> None:
    """A comparison of speed is worth something only between equal answers."""
    for theirs in others:
        if not np.allclose(ours, theirs, rtol=1e-4):
            raise SystemExit(f"the losses differ: {ours} and {theirs}; nothing to compare")


def main() -> None:
    torch.set_num_threads(1)
    print(machine())
    with quiet_single_thread():
        for size, rounds in zip(SIZES, (41, 9, 41), strict=True):
            beside_pytorch(size, rounds)


if __name__ == "__main__":
    main()
