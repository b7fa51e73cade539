"""Truncation styles as plans: integers and edge weights only. (leaf)

Give each step its own copy of the parameters. With G[s, t] the gradient of the loss read at s with
respect to the copy at t, every style is a weight w[s, t] on G, and its gradient is the weighted sum.
A plan writes w as a product along time: in track j, the loss at s is injected with weight
inject[s, j], and each edge u (from step u back to u - 1) multiplies what crosses it by edge[u, j]:

    w[s, t] = sum over j of inject[s, j] * product over t < u <= s of edge[u, j].

`full` and `window(k)` need one track. Where backward passes overlap, as in `sliding(k)`, every
m-th pass shares a track, so that passes in one track never overlap.

k1k2(k1, k2) is Williams & Peng's BPTT(h; h') with h' = k1, h = k2 (1990); the others are cases of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.config import Config

Draws = tuple[NDArray[np.float64], NDArray[np.float64]]  # inject and edge


@dataclass(frozen=True)
class Plan:
    """One truncation of T steps in m tracks."""

    title: str
    starts: NDArray[np.int64]  # (W,) first step of each window
    reset: NDArray[np.bool_]  # (T,) the state is the initial state before this step
    inject: NDArray[np.float64]  # (T, m)
    edge: NDArray[np.float64]  # (T, m); edge[0] leads to the initial state and is 1

    @property
    def steps(self) -> int:
        return len(self.edge)

    @property
    def tracks(self) -> int:
        return int(self.edge.shape[1])


def plan_of(config: Config) -> Plan:
    """Returns the plan of a config's style, value and gradient."""
    return plan_part(config, range(config.steps), draws_of(config))


def plan_part(config: Config, steps: range, draws: Draws | None) -> Plan:
    """Returns some steps of a config's plan, as a plan of its own: its starts count from the first of these
    steps, which is a start of its own only where the whole plan has one there. `draws` are `draws_of(config)`."""
    T, (first, end) = config.steps, (steps.start, steps.stop)
    if draws is not None:
        inject, edge = draws[0][first:end], draws[1][first:end].copy()
        starts = np.flatnonzero((edge[:, 0] == 0.0) | (np.arange(first, end) == 0))
    else:
        k1, k2, chunk = periods(config)
        inject, edge = _segments(T, k1, k2, steps)
        starts = np.arange(-(-first // chunk) * chunk, end, chunk) - first
    if config.style != "full" and config.gradient == "pass":
        inject, edge = _segments(T, T, T, steps)
    reset = np.zeros(len(steps), bool)
    if config.value == "reset":
        reset[starts] = starts + first > 0
    edge[reset] = 0.0
    return Plan(title_of(config), starts, reset, inject, edge)


def draws_of(config: Config) -> Draws | None:
    """Returns inject and edge (T, 1) of style random, whose cuts are drawn for all steps at once; else None."""
    T = config.steps
    return draw_cuts(T, config.p, np.random.default_rng([config.seed, T])) if config.style == "random" else None


def draw_cuts(T: int, p: float, rng: np.random.Generator) -> Draws:
    """Returns inject and edge of one draw of ARTBP (Tallec & Ollivier 2017) with a constant probability p:
    each edge is cut with probability p, and weighted by 1 / (1 - p) where it is not, so that the mean over
    draws is the full gradient."""
    edge = np.where(rng.random((T, 1)) < p, 0.0, 1.0 / (1.0 - p))
    edge[0] = 1.0
    return np.ones((T, 1)), edge


def full_plan(T: int) -> Plan:
    """Returns full BPTT with the state carried: the reference that every truncation is held against."""
    inject, edge = _segments(T, T, T, range(T))
    return Plan("full BPTT", np.zeros(1, np.int64), np.zeros(T, bool), inject, edge)


def uncut(plan: Plan) -> Plan:
    """Returns full BPTT along the run that a plan has: nothing is cut but where the state is reset."""
    T = plan.steps
    edge = np.where(plan.reset, 0.0, 1.0)[:, None]
    return Plan("full BPTT", plan.starts, plan.reset, np.ones((T, 1)), edge)


def title_of(config: Config) -> str:
    """Returns the plan in a few words, e.g. 'window(20), state carried, gradient cut'."""
    if config.style == "full":
        return "full BPTT"
    numbers = {"k1k2": f"{config.k1}, {config.k2}", "random": f"{config.p:g}"}.get(config.style, f"{config.k}")
    value = "state carried" if config.value == "carry" else "state reset"
    gradient = "gradient cut" if config.gradient == "cut" else "gradient passed"
    return f"{config.style}({numbers}), {value}, {gradient}"


def periods(config: Config) -> tuple[int, int, int]:
    """Returns (k1, k2, chunk): steps between backward passes, steps gone back, and the window's stride
    in the forward pass, at which a reset takes place."""
    T = config.steps
    if config.style == "full":
        return T, T, T
    if config.style == "k1k2":
        return min(config.k1, T), config.k2, min(config.k1, T)
    k = min(config.k, T)
    return (k, k, k) if config.style == "window" else (1, k, k)


def _segments(T: int, k1: int, k2: int, steps: range) -> Draws:
    """Returns inject and edge, at some steps, for passes that each take k1 losses and go back k2 steps from their
    end."""
    passes, m = -(-T // k1), tracks_of(T, k1, k2)
    inject, edge = np.zeros((len(steps), m)), np.ones((len(steps), m))
    here = np.arange(steps.start, steps.stop)
    inject[here - steps.start, here // k1 % m] = 1.0
    i = np.arange(max(0, (steps.start + k2) // k1 - 1), min(passes, (steps.stop + k2) // k1 + 1))
    starts = (i + 1) * k1 - k2
    inside = (starts > 0) & (starts >= steps.start) & (starts < steps.stop)
    edge[starts[inside] - steps.start, i[inside] % m] = 0.0
    return inject, edge


def tracks_of(T: int, k1: int, k2: int) -> int:
    """Returns how many passes run over the same step; one will do where all of them go back to the first step."""
    passes = -(-T // k1)
    return 1 if k2 >= passes * k1 else min(-(-k2 // k1), passes)


def weights(plan: Plan) -> NDArray[np.float64]:
    """Returns w (T, T): the weight of G[s, t] under the plan, 0 for t > s. For small T: T*T*m work."""
    T = plan.steps
    w = np.zeros((T, T))
    for s in range(T):
        product = plan.inject[s].copy()
        for t in range(s, -1, -1):
            w[s, t] = product.sum()
            product *= plan.edge[t]
    return w


def reach(plan: Plan) -> NDArray[np.int64]:
    """Returns (T,): the earliest state step to which a loss at step s sends a gradient."""
    steps = np.arange(plan.steps)
    cuts = np.where(plan.edge == 0.0, steps[:, None], 0)
    return np.asarray(np.maximum.accumulate(cuts, axis=0)[steps, plan.inject.argmax(axis=1)])


def taper(reaches: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns (T,): per lag l, the share of the steps s >= l whose gradient gets back to s - l."""
    T = len(reaches)
    gets = np.bincount(np.arange(T) - reaches, minlength=T)[::-1].cumsum()[::-1]
    return np.asarray(gets / np.arange(T, 0, -1))


def dead_edges(reaches: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns (T,): True where no loss at all sends a gradient from step t back to t - 1."""
    earliest_later = np.minimum.accumulate(reaches[::-1])[::-1]
    dead = earliest_later >= np.arange(len(reaches))
    dead[0] = False
    return np.asarray(dead)
