"""Influence balancing: a linear system in which truncation points uphill."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.backprop import Gradients, backprop
from engine.config import parse
from engine.published.linear import run, system
from engine.published.result import About, Picture, Published, Source, check, published, series
from engine.truncation import Plan, full_plan, plan_of

ABOUT = About(
    "influence_balancing", "Influence balancing: the wrong sign until k = 41, or 110",
    Source("C. Tallec, Y. Ollivier", 2017, "Unbiasing truncated backpropagation through time",
           "https://arxiv.org/abs/1705.08209"),
    "One parameter pushes 10 units up and 13 down. Its early influence on s_1 is positive, its whole influence "
    "negative, and truncated BPTT follows the early one. Worked out for these 23 units: the whole sensitivity is -6, "
    "and truncation gives the wrong sign until k = 41 (loss at the window's end) or k = 110 (loss at every step).")
SIGNS = np.concatenate([np.ones(10), -np.ones(13)])
N, THETA, T = len(SIGNS), 0.5, 400
SHOWN = 160


def compute() -> Published:
    """Returns the sensitivities ds_1/dtheta under truncation, and where their sign turns right."""
    end = sensitivities()
    every = np.cumsum(end) / np.arange(1, T + 1)
    checks = [
        check("whole sensitivity of s_1", -6, end[-1], 1e-12),
        check("smallest k with the right sign, loss at the window's end", 41, _turns(end)),
        check("smallest k with the right sign, loss at every step", 110, _turns(every)),
        *(check(f"the sign of window({k})'s own sweep, loss at its end", sign, np.sign(of_window(k, False)))
          for k, sign in ((40, 1), (41, -1))),
        *(check(f"the sign of window({k})'s own sweep, loss at every step", sign, np.sign(of_window(k, True)))
          for k, sign in ((109, 1), (110, -1))),
        check("window(110), sweep beside the sum over lags, difference", 0, of_window(110, True) - every[109], 1e-12),
    ]
    return published(
        ABOUT, "s' = A s + theta (1, ..., 1, -1, ..., -1) with A half the identity and half the superdiagonal, at "
        "its fixed point, loss (s_1 - 1)^2 / 2. The sensitivity at every k comes from one sweep and its terms by "
        "lag; windows of 40, 41, 109 and 110 steps were also swept by themselves.", checks,
        "Here a longer window is first worse, not better: at k = "
        f"{int(np.argmax(end)) + 1} the truncated sensitivity is +{end.max():.1f} while the true one is -6. A sign "
        "that is wrong makes training go away from the optimum, however small the learning rate.", _picture(end, every))


def _system(counts: Array, plan: Plan) -> tuple[Gradients, float]:
    """Returns one sweep at the fixed point s = A s + theta v, and the error s_1 - 1 there."""
    A = 0.5 * np.eye(N) + 0.5 * np.eye(N, k=1)
    network, params = system(A, THETA * SIGNS)
    fixed = 2 * THETA * np.cumsum(SIGNS[::-1])[::-1]  # from the last unit up: s_i = s_{i+1} + 2 theta v_i
    tape = run(network, params, fixed, 1.0, counts)
    return backprop(network, params, tape, plan), float(fixed[0] - 1.0)


def sensitivities() -> Array:
    """Returns (T,): at k - 1, what a loss that goes back k steps says of ds_1/dtheta."""
    found, error = _system(np.arange(T) == T - 1, full_plan(T))
    terms = found.terms["l0.b"][0][0][:, :, 0] @ SIGNS / error
    return np.cumsum(terms[::-1])


def of_window(k: int, every: bool) -> float:
    """Returns the sensitivity that windows of k steps give, the loss being read at every step, or at each
    window's last one."""
    steps = 3 * k
    counts = np.ones(steps, bool) if every else np.arange(steps) % k == k - 1
    found, error = _system(counts, plan_of(parse({"style": "window", "k": k, "steps": steps})))
    return float(found.blocks["l0.b"] @ SIGNS / error / counts.sum())


def _turns(sensitivity: Array) -> int:
    """Returns the smallest k from which on the sign stays negative."""
    return int(np.flatnonzero(sensitivity >= 0)[-1]) + 2


def _picture(end: Array, every: Array) -> Picture:
    ks = np.arange(1, SHOWN + 1)
    return Picture("Sensitivity of s_1 that truncation sees", "k (steps)", "ds_1 / dtheta", False, (
        series("loss at the window's end", ks, end[:SHOWN], "truncated"),
        series("loss at every step", ks, every[:SHOWN], "value"),
        series("true: -6", ks[[0, -1]], [-6, -6], "full"), series("zero", ks[[0, -1]], [0, 0], "ink")))
