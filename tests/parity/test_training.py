"""A lane beside the training loop that people write in PyTorch: the same weights and losses for a hundred updates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.tasks.text import default_text
from engine.training import Lab, Lane, Strategy, corpus_of
from tests.parity.test_modules import MODULES, _detach, _weights

torch.set_num_threads(1)  # small products on two contended threads are far slower
UPDATES, TOLERANCE = 100, 1e-9
LAB = Lab(hidden=7, batch=3, embedding=4, tokens=UPDATES * 3 * 6, seeds=1, evaluations=1, dtype="float64", clip=0.3,
          text=default_text()[:1500], strategies=(Strategy(k=6),), rate=0.01)
OPTIMISERS = {"adam": (torch.optim.Adam, 0.01), "sgd": (torch.optim.SGD, 0.5), "adagrad": (torch.optim.Adagrad, 0.05)}


def ours(lab: Lab) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Returns the initial weights, and every update's loss and gradient norm."""
    lane = Lane(lab, 0, lab.seed, corpus_of(lab))
    start, found = lane.weights(), list(lane)[1:]
    assert not found[-1].diverged
    return start, np.array([s.loss for s in found]), np.array([s.norm for s in found])


class Theirs:
    """PyTorch's modules and optimiser on the lane's initial weights."""

    def __init__(self, lab: Lab, start: dict[str, np.ndarray]) -> None:
        self.lab = lab
        self.blocks = {name: torch.tensor(block, requires_grad=True) for name, block in start.items()}
        width = lab.embedding or len(set(lab.text))
        self.module = MODULES[lab.cell](width, lab.hidden, lab.layers, dtype=torch.float64)
        kind, _ = OPTIMISERS[lab.optimiser]
        self.optimiser = kind([b for n, b in self.blocks.items() if not self._held(n)], lr=lab.rate)

    def _held(self, name: str) -> bool:
        return self.lab.strategies[0].frozen and name.endswith((".W_hh", ".b_hn"))

    def losses(self, x: Tensor, y: Tensor, state: object) -> tuple[Tensor, object]:
        """Returns the losses (k, B) of a window, and the state after it."""
        xs = functional.embedding(x, self.blocks["E"]) if self.lab.embedding else self._one_hot(x)
        weights = _weights(self.lab.cell, self.lab.layers, self.blocks)
        hs, after = torch.func.functional_call(self.module, weights, (xs,) if state is None else (xs, state))
        ys = hs @ self.blocks["W_hy"].T + self.blocks["b_y"]
        return functional.cross_entropy(ys.flatten(0, 1), y.flatten(), reduction="none").view(y.shape), after

    def _one_hot(self, x: Tensor) -> Tensor:
        return functional.one_hot(x, len(set(self.lab.text))).double()

    def update(self, objective: Tensor) -> float:
        self.optimiser.zero_grad()
        objective.backward()
        given = [p for group in self.optimiser.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(given, self.lab.clip if self.lab.clip_by == "norm" else 1e300)
        if self.lab.clip_by == "element":
            nn.utils.clip_grad_value_(given, self.lab.clip)
        self.optimiser.step()
        return float(norm)


def encoded(lab: Lab) -> tuple[Tensor, Tensor]:
    """Returns inputs and targets (S, B): the tutorial's arrangement, row b the b-th contiguous piece."""
    symbols = sorted(set(lab.text))
    codes = [symbols.index(c) for c in lab.text[: len(lab.text) - int(len(lab.text) * lab.held_out)]]
    length = (len(codes) - 1) // lab.batch
    row = [[codes[b * length + i] for i in range(length)] for b in range(lab.batch)]
    following = [[codes[b * length + i + 1] for i in range(length)] for b in range(lab.batch)]
    return torch.tensor(row).T, torch.tensor(following).T


def theirs(lab: Lab, start: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns every update's loss and gradient norm, from windows of k with detach() between them."""
    peer, (xs, ys) = Theirs(lab, start), encoded(lab)
    k, carried = lab.strategies[0].k, lab.strategies[0].value == "carry"
    found: list[tuple[float, float]] = []
    first, state = 0, None
    while len(found) < UPDATES:
        window = slice(first, first + k)
        losses, after = peer.losses(xs[window], ys[window], state)
        objective = losses.mean() if lab.loss == "mean" else losses.mean(dim=1).sum()
        found.append((losses.mean().item(), peer.update(objective)))
        first = first + k if first + k < len(xs) else 0
        state = _detach(after) if carried and first else None
    losses, norms = np.array(found).T
    return losses, norms


def check(lab: Lab) -> None:
    start, losses, norms = ours(lab)
    peer_losses, peer_norms = theirs(lab, start)
    losses, norms = losses[:UPDATES], norms[:UPDATES]
    assert len(losses) == UPDATES
    np.testing.assert_allclose(losses, peer_losses, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(norms, peer_norms, rtol=1e-7)
    assert losses[-10:].mean() < losses[:10].mean() - 0.05
    assert (norms > lab.clip).any() or lab.clip_by == "off"


@pytest.mark.parametrize("value", ["carry", "reset"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("cell", MODULES)
def test_windows(cell: str, optimiser: str, value: str) -> None:
    check(replace(LAB, cell=cell, optimiser=optimiser, rate=OPTIMISERS[optimiser][1],
                  strategies=(Strategy(k=6, value=value),)))


@pytest.mark.parametrize("options", [
    {"layers": 2}, {"embedding": 0}, {"loss": "sum", "clip": 1.0}, {"clip_by": "element", "clip": 0.01},
    {"clip_by": "off"}, {"batch": 1, "tokens": UPDATES * 6}, {"embedding": 0, "batch": 1, "tokens": UPDATES * 6},
    {"strategies": (Strategy(k=6, frozen=True),), "cell": "gru"}], ids=str)
def test_other_options(options: dict[str, object]) -> None:
    check(replace(LAB, **options))


@pytest.mark.parametrize("k", [6, 13])
def test_a_pass_ends_with_a_shorter_window(k: int) -> None:
    """119 steps a row: neither divides them, and a hundred updates of either go over a pass' end."""
    lab = replace(LAB, text=LAB.text[:400], strategies=(Strategy(k=k),), tokens=UPDATES * 3 * k)
    check(lab)


def test_gradients_summed_over_the_windows_of_a_sequence() -> None:
    """Windows of 5 in sequences of 20: one update each, by the mean over all their steps."""
    lab = replace(LAB, steps=20, update="sequence", strategies=(Strategy(k=5),), tokens=UPDATES * 3 * 20)
    start, losses, norms = ours(lab)
    peer, (xs, ys) = Theirs(lab, start), encoded(lab)
    bounds = [(first, min(first + 20, len(xs))) for first in range(0, len(xs), 20)]
    for n in range(UPDATES):
        first, end = bounds[n % len(bounds)]
        state, parts = None, []
        for start_of in range(first, end, 5):
            window = slice(start_of, min(start_of + 5, end))
            found, after = peer.losses(xs[window], ys[window], state)
            parts.append(found)
            state = _detach(after)
        whole = torch.cat(parts)
        norm = peer.update(whole.mean())
        assert losses[n] == pytest.approx(whole.mean().item(), abs=TOLERANCE)
        assert norms[n] == pytest.approx(norm, rel=1e-7)
