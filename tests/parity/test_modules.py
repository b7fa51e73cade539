"""The loops that people write: nn.RNN, nn.LSTM, nn.GRU over whole windows, and state.detach() between them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine import Analysis, Config, analyze, parse
from tests.parity.subject import EVERYTHING, distance

TOLERANCE = 1e-12
MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("value", ["carry", "reset"])
@pytest.mark.parametrize("cell", MODULES)
def test_a_training_loop_over_windows(cell: str, value: str, layers: int) -> None:
    config = parse({"cell": cell, "layers": layers, "value": value, "style": "window", "k": 8, "steps": 30,
                    "hidden": 6, "batch": 4, "embedding": 3, "seed": layers})
    found = analyze(config, include=EVERYTHING)
    theirs = _loop(config, found, config.k)
    for name, ours in found.gradients.items():
        assert distance(ours, theirs[name]) <= TOLERANCE, name


@pytest.mark.parametrize("cell", MODULES)
def test_one_call_over_everything_is_full_bptt(cell: str) -> None:
    config = parse({"cell": cell, "style": "full", "steps": 40, "hidden": 16, "batch": 2, "layers": 2})
    found = analyze(config, include=EVERYTHING)
    theirs = _loop(config, found, config.steps)
    for name, ours in found.gradients.items():
        assert distance(ours, theirs[name]) <= TOLERANCE, name


def _loop(config: Config, found: Analysis, k: int) -> dict[str, np.ndarray]:
    """Returns what the parameters' .grad hold after backward() on each window, without a zero_grad between."""
    blocks = {name: torch.tensor(block, requires_grad=True) for name, block in found.weights.items()}
    symbols, targets = (torch.tensor(found.arrays[name]).long() for name in ("inputs", "targets"))
    width = blocks["E"].shape[1] if "E" in blocks else len(found.sequence.vocabulary)
    module = MODULES[config.cell](width, config.hidden, config.layers, dtype=torch.float64)
    weights = _weights(config.cell, config.layers, blocks)
    state = None
    for start in range(0, config.steps, k):
        window = slice(start, start + k)
        xs = blocks["E"][symbols[window]] if "E" in blocks else functional.one_hot(symbols[window], width).double()
        arguments = (xs,) if state is None else (xs, state)
        hs, after = torch.func.functional_call(module, weights, arguments)
        ys = hs @ blocks["W_hy"].T + blocks["b_y"]
        loss = functional.cross_entropy(ys.flatten(0, 1), targets[window].flatten(), reduction="sum")
        (loss / config.batch).backward(retain_graph=True)
        state = _detach(after) if config.value == "carry" else None
    return {name: block.grad.numpy() for name, block in blocks.items()}


def _detach(state: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
    return state.detach() if isinstance(state, Tensor) else tuple(part.detach() for part in state)


def _weights(cell: str, layers: int, blocks: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the module's weights: our b is their bias_ih, and b_hn the last third of their bias_hh."""
    out = {}
    for layer in range(layers):
        b, b_hn = blocks[f"l{layer}.b"], blocks.get(f"l{layer}.b_hn")
        rest = torch.zeros(len(b) if b_hn is None else len(b) - len(b_hn), dtype=b.dtype)
        out |= {f"weight_ih_l{layer}": blocks[f"l{layer}.W_ih"], f"weight_hh_l{layer}": blocks[f"l{layer}.W_hh"],
                f"bias_ih_l{layer}": b, f"bias_hh_l{layer}": rest if b_hn is None else torch.cat((rest, b_hn))}
    return out
