"""Lagged bits: the least loss that anybody can reach, by how far back they can see."""

from __future__ import annotations

from itertools import product

import numpy as np

from engine.published.result import About, Picture, Published, Source, check, published, series

PITIS = Source("S. Pitis", 2016, "Recurrent neural networks in TensorFlow I",
               "https://r2rt.com/recurrent-neural-networks-in-tensorflow-i.html")
ABOUT = About(
    "lagged_bits", "Lagged bits: three floors, and what a reset costs", PITIS,
    "A bit is 1 with probability 0.5 + 0.5 x[t-3] - 0.25 x[t-8]. The least expected loss is 0.6616 nats if nothing "
    "is learned, 0.5192 with lag 3, 0.4545 with both lags.")
LAGS, SHARES, BASE = (3, 8), (0.5, -0.25), 0.5
SHOWN = 40


def compute() -> Published:
    """Returns the floors from the definition of the task: nothing is drawn or trained."""
    checks = [
        check("floor, nothing learned", 0.661563, floor(0), 5e-7), check("floor, lag 3", 0.519167, floor(3), 5e-7),
        check("floor, both lags", 0.454454, floor(8), 5e-7),
        check("floor, state reset every 5 steps", 0.6046, reset_floor(5), 5e-5),
        check("floor, state reset every 10 steps", 0.5489, reset_floor(10), 5e-5),
    ]
    return published(
        ABOUT, "The entropy of the target given the inputs that can be seen, over all four cases of the two echoes. "
        "With a state reset every k steps, the j-th step of a window sees j steps back: its floor is the mean "
        "over j < k.", checks,
        "A reset is a hard limit: whatever the network and however long the training, with windows of 10 "
        f"steps no loss below {reset_floor(10):.4f} can be expected, because most steps cannot see what they depend "
        "on. Long windows lessen it only as 1/k.", _picture())


def probability(echoes: tuple[int, ...]) -> float:
    """Returns p(y = 1) given the two echoes x[t-3], x[t-8]."""
    return BASE + sum(share * x for share, x in zip(SHARES, echoes, strict=True))


def floor(seen: int) -> float:
    """Returns the least expected loss, in nats, of whoever sees the inputs x[t], ..., x[t - seen]."""
    groups: dict[tuple[int, ...], list[float]] = {}
    for echoes in product((0, 1), repeat=len(LAGS)):
        visible = tuple(x for x, lag in zip(echoes, LAGS, strict=True) if lag <= seen)
        groups.setdefault(visible, []).append(probability(echoes))
    return float(np.mean([entropy(float(np.mean(ps))) for ps in groups.values()]))


def entropy(p: float) -> float:
    """Returns the entropy of a coin, in nats."""
    return -sum(q * float(np.log(q)) for q in (p, 1 - p) if q > 0)


def reset_floor(k: int) -> float:
    """Returns the least expected loss where the state is reset every k steps."""
    return float(np.mean([floor(j) for j in range(k)]))


def _picture() -> Picture:
    ks, ends = np.arange(1, SHOWN + 1), [1, SHOWN]
    return Picture("Least expected loss against the window", "k (steps)", "nats", False, (
        series("state reset every k steps", ks, [reset_floor(int(k)) for k in ks], "truncated"),
        series("both lags", ends, [floor(8)] * 2, "full"), series("lag 3", ends, [floor(3)] * 2, "value"),
        series("nothing", ends, [floor(0)] * 2, "ink")))
