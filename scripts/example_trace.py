"""The example of the page "Your model": `python -m scripts.example_trace` records it anew, where PyTorch is installed.

A character model over the English of Python's own help topics, whose loop detaches c between its windows and forgets
h: the gradient leaks through h across the windows of a sequence, and its graph grows with each one.
"""

from __future__ import annotations

from pydoc_data.topics import topics

import torch
from torch import nn

from scripts.shell import ROOT
from taps.torch_tap import Tap

EXAMPLE = ROOT / "static/examples/leak.npz"
K, STEPS, SEQUENCES, BATCH, HIDDEN = 20, 60, 2, 8, 24


class Model(nn.Module):
    """One-hot symbols, one LSTM, a readout."""

    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.symbols = symbols
        self.lstm = nn.LSTM(symbols, HIDDEN)
        self.readout = nn.Linear(HIDDEN, symbols)

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None) -> tuple[torch.Tensor, ...]:
        out, (h, c) = self.lstm(nn.functional.one_hot(x, self.symbols).float(), state)
        return self.readout(out), h, c


def main() -> None:
    """Trains for a few updates under the tap."""
    text = "".join(topics[name] for name in sorted(topics))[: BATCH * 400]
    symbols = sorted(set(text))
    data = torch.tensor([symbols.index(symbol) for symbol in text]).view(BATCH, -1).T.contiguous()
    torch.manual_seed(0)
    model = Model(len(symbols))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    tap = Tap(EXAMPLE, model, optimizer, updates=SEQUENCES, declared="window:20")
    for sequence in range(SEQUENCES):
        _train(model, optimizer, tap, data[sequence * STEPS : (sequence + 1) * STEPS + 1])


def _train(model: Model, optimizer: torch.optim.Optimizer, tap: Tap, data: torch.Tensor) -> None:
    """One sequence in windows of K steps, whose gradients are summed and applied once."""
    state = None
    optimizer.zero_grad()
    for start in range(0, STEPS, K):
        logits, h, c = model(data[start : start + K], state)
        targets = data[start + 1 : start + K + 1]
        losses = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        losses = losses.view(K, BATCH)
        tap.loss(losses)
        losses.mean().backward(retain_graph=True)  # the false cure: without it PyTorch says what is wrong
        state = (h, c.detach())
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()


if __name__ == "__main__":
    main()
