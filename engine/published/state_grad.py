"""The k1/k2 loop that people copy: gradients of its stored states pile up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.backprop import backprop
from engine.config import parse
from engine.published.linear import run, system
from engine.published.result import About, Picture, Published, Source, check, published, series
from engine.truncation import Plan, full_plan, plan_of

ABOUT = About(
    "state_grad", "A copied k1/k2 loop counts paths twice",
    Source("discuss.pytorch.org", 2018, "Implementing Truncated Backpropagation Through Time (thread 15500)",
           "https://discuss.pytorch.org/t/implementing-truncated-backpropagation-through-time/15500"),
    "For x_t = w x_{t-1} with x_0 = 0.9 and w = 0.2, dx_3/dw is 3 w^2 x_0 = 0.108; the thread's loop gives 0.288.")
X0, W, LONGEST = 0.9, 0.2, 8


@dataclass
class Stored:
    """One step of the loop: the detached copy that it started from, that copy's .grad, and what came out."""

    copy: float
    grad: float
    out: float


def compute() -> Published:
    """Returns both numbers: the true derivative by the engine's sweep, and the loop's by its own arithmetic."""
    first, second, third = (true_derivative(n) for n in (1, 2, 3))
    checks = [
        check("dx_1/dw, full BPTT", 0.9, first, 1e-15), check("dx_2/dw, full BPTT", 0.36, second, 1e-15),
        check("dx_3/dw, full BPTT", 0.108, third, 1e-15),
        check("dx_3/dw, the copied loop", 0.288, copied_loop(3, clear=False), 1e-15),
        check("dx_3/dw, the loop with the states' gradients cleared", 0.108, copied_loop(3, clear=True), 1e-15),
    ]
    return published(
        ABOUT, "A linear recurrence of one unit: the engine's sweep, and the loop's arithmetic with every .grad "
        "written out. After the loss at x_2, the stored copy of x_1 keeps a gradient w = 0.2. The next backward pass "
        "adds w^2 = 0.04 to it and hands 0.24, not 0.04, to the step before: 0.036 + 0.036 + 0.24 * 0.9 = 0.288.",
        checks,
        "zero_grad() clears the gradients of the weights, not those of the stored states. Clear them too before each "
        "backward pass, and the loop is right.", _picture())


def true_derivative(n: int, k: int | None = None) -> float:
    """Returns dx_n/dw by one sweep over n steps; with k, truncated to k of them."""
    network, params = system(np.array([[W]]), np.zeros(1))
    counts = np.arange(n) == n - 1
    value = X0 * W**n
    tape = run(network, params, np.array([X0]), value - 1.0, counts)  # a loss whose gradient is 1 at x_n
    tape.dy[-1] = 1.0
    plan: Plan = full_plan(n) if k is None else plan_of(parse({"style": "sliding", "k": k, "steps": max(n, 2)}))
    return float(backprop(network, params, tape, plan).blocks["l0.W_hh"][0, 0])


def copied_loop(n: int, clear: bool) -> float:
    """Returns w.grad after the n-th step of the loop with k1 = 1 and k2 >= n, written out without autograd.

    Each step starts from a detached copy of the last state. A backward pass through step i adds to w.grad
    what arrives times the copy, and to the copy's .grad what arrives times w; what is then handed to the
    step before is the copy's whole .grad. `clear` sets the copies' .grad to zero before each pass."""
    steps: list[Stored] = []
    x, w_grad = X0, 0.0
    for _ in range(n):
        steps.append(Stored(x, 0.0, W * x))
        x, w_grad = steps[-1].out, 0.0  # zero_grad() clears the weight's gradient alone
        if clear:
            for step in steps:
                step.grad = 0.0
        arriving = 1.0
        for step in reversed(steps):
            w_grad += arriving * step.copy
            step.grad += arriving * W
            arriving = step.grad
    return w_grad


def _picture() -> Picture:
    n = np.arange(1, LONGEST + 1)
    return Picture("dx_n/dw after n steps", "n", "derivative", True, (
        series("true", n, [true_derivative(int(i)) for i in n], "full"),
        series("the copied loop", n, [copied_loop(int(i), clear=False) for i in n], "truncated")))
