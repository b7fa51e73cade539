"""A stretch cut into pieces: what one forward and backward pass runs over, and its plan.

A piece reads the losses of its new steps and may start before them, at steps that it runs through again as
context, from the state that was stored there:

| style | new steps | steps in all |
|---|---|---|
| full | the stretch | the stretch |
| window(k) | k | k |
| k1k2(k1, k2) | k1 | k2 |
| sliding(k) | k | 2k - 1: each loss goes back k steps, in a track of its own |
| random(p) | drawn: each edge is cut with probability p, and the one after LONGEST steps in any case | the same |

With the value reset, a piece starts from the initial state at its first new step, so that there is no context.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.training.strategies import Strategy
from engine.truncation import Plan

LONGEST = 500  # steps of a random piece; a cut there is not weighted, which biases the gradient a little
_CUTS = 2  # what is drawn from a seed


@dataclass(frozen=True)
class Piece:
    """Steps [first, end) of a stretch, of which those from `start` on are new."""

    first: int
    start: int
    end: int

    @property
    def steps(self) -> int:
        return self.end - self.first

    @property
    def new(self) -> int:
        return self.end - self.start


def chunk_of(strategy: Strategy, steps: int) -> int:
    """Returns the new steps of a whole piece; for random(p) their mean. `steps` is the stretch's length."""
    by_style = {"full": steps, "k1k2": strategy.k1, "random": round(mean_length(strategy.p))}
    return min(by_style.get(strategy.style, strategy.k), steps)


def longest(strategy: Strategy, steps: int) -> int:
    """Returns the most steps that a piece has, context included."""
    k, reset = strategy.k, strategy.value == "reset"
    by_style = {"full": steps, "window": k, "random": LONGEST, "sliding": k if reset else 2 * k - 1,
                "k1k2": strategy.k1 if reset else strategy.k2}
    return min(by_style[strategy.style], steps)


def losses_in(strategy: Strategy, steps: int) -> int:
    """Returns the most steps of a piece that have a loss."""
    return chunk_of(strategy, steps) if strategy.style in ("sliding", "k1k2") else longest(strategy, steps)


def mean_length(p: float) -> float:
    """Returns the mean length of a random piece: a geometric one, cut at LONGEST."""
    return float((1.0 - (1.0 - p) ** LONGEST) / p) if p > 0 else float(LONGEST)


def piece_at(strategy: Strategy, start: int, steps: int, seed: tuple[int, int]) -> Piece:
    """Returns the piece whose first new step is `start`, in a stretch of so many steps. `seed` is the lane's
    and the stretch's number, from which random cuts are drawn."""
    new = chunk_of(strategy, steps)
    if strategy.style == "random":
        new = _drawn(strategy.p, (*seed, _CUTS, start))
    back = max(longest(strategy, steps), new) if strategy.style in ("sliding", "k1k2") else new
    return Piece(max(0, start + new - back), start, min(start + new, steps))


def _drawn(p: float, seed: tuple[int, ...]) -> int:
    return min(int(np.random.default_rng(seed).geometric(p)), LONGEST) if p > 0 else LONGEST


@lru_cache(maxsize=64)
def plan_of_piece(strategy: Strategy, steps: int, new: int) -> Plan:
    """Returns the plan of a piece: `steps` in all, the last `new` of them with losses."""
    inject, edge = np.ones((steps, 1)), np.ones((steps, 1))
    if strategy.style == "random":
        edge[1:] = 1.0 / (1.0 - strategy.p)
    if strategy.style == "sliding" and steps > strategy.k:
        inject, edge = np.zeros((steps, new)), np.ones((steps, new))
        for track, s in enumerate(range(steps - new, steps)):
            inject[s, track] = 1.0
            edge[max(0, s - strategy.k + 1), track] = 0.0
    edge[0] = 1.0
    return Plan(strategy.title, np.zeros(1, np.int64), np.zeros(steps, bool), inject, edge)
