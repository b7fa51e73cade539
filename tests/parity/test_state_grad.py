"""The copied k1/k2 loop with real autograd: the same two numbers as engine/published/state_grad.py."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.published.state_grad import X0, W, copied_loop, true_derivative


def loop(n: int, clear: bool) -> float:
    """Returns w.grad after the n-th step: one backward() through each stored step, each handing on the .grad of
    the detached copy that it started from. The stored copies are leaves, and so their .grad adds up."""
    w = torch.tensor(W, dtype=torch.float64, requires_grad=True)
    steps: list[tuple[Tensor, Tensor]] = []
    x = torch.tensor(X0, dtype=torch.float64)
    for _ in range(n):
        copy = x.detach().requires_grad_()
        x = w * copy
        steps.append((copy, x))
        w.grad = None
        if clear:
            for stored, _ in steps:
                stored.grad = None
        arriving = torch.ones_like(x)
        for stored, out in reversed(steps):
            out.backward(arriving, retain_graph=True)
            arriving = stored.grad
    return float(w.grad)


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("n", range(1, 9))
def test_the_loops_arithmetic_is_autograds(n: int, clear: bool) -> None:
    assert loop(n, clear) == pytest.approx(copied_loop(n, clear), rel=1e-14)


def test_the_numbers_of_the_thread() -> None:
    assert loop(3, clear=False) == pytest.approx(0.288, rel=1e-14)
    assert loop(3, clear=True) == pytest.approx(0.108, rel=1e-14)


@pytest.mark.parametrize("n", range(1, 9))
def test_one_backward_through_everything_is_the_engines_sweep(n: int) -> None:
    w = torch.tensor(W, dtype=torch.float64, requires_grad=True)
    x = torch.tensor(X0, dtype=torch.float64)
    for _ in range(n):
        x = w * x
    x.backward()
    assert float(w.grad) == pytest.approx(true_derivative(n), rel=1e-14)
