"""N1: analytic gradients, full and truncated, against central differences of the objective itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import analyze, parse
from engine.cells import CELLS
from engine.config import Config
from engine.truncation import full_plan, plan_of
from engine.unroll import unroll
from tests.engine.passes import passes
from tests.engine.setups import CELL_KEYS, CELL_OPTIONS, STYLE_OPTIONS, Case, Sizes, case

TOLERANCE = 1e-7
STEP = 1e-3


def central(f: Callable[[float], float]) -> tuple[float, float]:
    """Returns the derivative of f at 0, and what rounding may put into it: central differences at three
    steps, extrapolated (Richardson) to an error of STEP**6."""
    at = [(f(STEP / n) - f(-STEP / n)) * n / (2 * STEP) for n in (1, 2, 4)]
    finer = [(4 * b - a) / 3 for a, b in pairwise(at)]
    return (16 * finer[1] - finer[0]) / 15, 2e-14 * max(1.0, abs(f(0.0))) / STEP


def truncated_objective(x: Case, config: Config, base: Case) -> float:
    """Returns the objective of the config's passes: each runs from the state that `base` had at its start."""
    plan, T = plan_of(config), config.steps
    stored = base.tape(plan).layers
    whole = config.style == "full" or config.gradient == "pass"
    total = 0.0
    for steps, first in passes("full" if whole else config.style, T, config.k, config.k1, config.k2):
        span = slice(first, steps[-1] + 1)
        counts = np.isin(np.arange(T), steps) & x.data.counts
        fresh = first == 0
        entering = x.data.initial if fresh else tuple(layer.states[first - 1] for layer in stored)
        piece = replace(x.data, xs=x.data.xs[span], targets=x.data.targets[span], counts=counts[span])
        total += _loss_with_resets(x, piece, entering, plan.reset[span])
    return total / x.data.xs.shape[2]


def _loss_with_resets(x: Case, piece: object, entering: tuple, reset: np.ndarray) -> float:
    """The engine resets to the state that a run starts from; here those are two: so it is run in pieces."""
    edges = [0, *(t for t in np.flatnonzero(reset).tolist() if t), len(reset)]
    total = 0.0
    for a, b in pairwise(edges):
        start = entering if a == 0 and not reset[0] else x.data.initial
        part = replace(piece, xs=piece.xs[a:b], targets=piece.targets[a:b], counts=piece.counts[a:b], initial=start)
        total += float(unroll(x.network, x.params, part, np.zeros(b - a, bool)).losses.sum())
    return total


def check(x: Case, config: Config, rng: np.random.Generator) -> None:
    """Asserts that every block's gradient has the derivative along itself and along a random direction."""
    found = x.gradients(plan_of(config))
    for name, gradient in found.blocks.items():
        size = float(np.linalg.norm(gradient))
        random = rng.normal(size=gradient.shape)
        for v in (gradient / (size or 1.0), random / np.linalg.norm(random)):
            truth, noise = central(lambda s, name=name, v=v: truncated_objective(x.moved(name, s * v), config, x))
            assert float((gradient * v).sum()) == pytest.approx(truth, rel=0, abs=TOLERANCE * size + noise), name
    for layer, gradient in enumerate(found.initial):
        v = gradient / (np.linalg.norm(gradient) or 1.0)
        truth, noise = central(lambda s, layer=layer, v=v: truncated_objective(_started(x, layer, s * v), config, x))
        assert float((gradient * v).sum()) == pytest.approx(truth, rel=TOLERANCE, abs=noise)


def _started(x: Case, layer: int, by: np.ndarray) -> Case:
    initial = tuple(s + by if at == layer else s for at, s in enumerate(x.data.initial))
    return replace(x, data=replace(x.data, initial=initial))


SIZES = st.builds(Sizes, T=st.integers(2, 12), B=st.integers(1, 4), D=st.integers(1, 4), H=st.integers(1, 6),
                  O=st.integers(1, 4), layers=st.integers(1, 3), embedding=st.sampled_from([0, 0, 2]),
                  classify=st.booleans())


@st.composite
def truncations(draw: st.DrawFn, T: int) -> Config:
    """A valid style for T steps, with its switches."""
    k1 = draw(st.integers(1, T + 2))
    return Config(steps=T, style=draw(st.sampled_from(list(STYLE_OPTIONS))), k=draw(st.integers(1, T + 2)), k1=k1,
                  k2=draw(st.integers(k1, T + 4)), value=draw(st.sampled_from(["carry", "reset"])),
                  gradient=draw(st.sampled_from(["cut", "pass"])))


@settings(max_examples=150)
@given(st.data(), SIZES, st.sampled_from(CELL_KEYS), st.integers(0, 2**32 - 1))
def test_gradients_by_central_differences(data: st.DataObject, sizes: Sizes, cell: tuple[str, bool], seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.random(sizes.T) < data.draw(st.sampled_from([1.0, 0.4]))
    counts[data.draw(st.integers(0, sizes.T - 1))] = True
    check(case(cell, sizes, seed, data.draw(st.sampled_from([0.2, 0.5, 0.8])), counts),
          data.draw(truncations(sizes.T)), rng)


OPTIONS = st.fixed_dictionaries({
    "hidden": st.integers(1, 12), "batch": st.integers(1, 4), "layers": st.integers(1, 3), "steps": st.integers(2, 30),
    "gain": st.sampled_from([0.0, 0.1, 1.0, 3.0]), "init": st.sampled_from(["uniform", "orthogonal"]),
    "task": st.sampled_from(["text", "adding", "lagged_bits", "series"]), "loss_at": st.sampled_from(["every", "last"]),
    "embedding": st.sampled_from([0, 3]), "forget_bias": st.sampled_from([-3.0, 0.0, 1.0, 5.0]),
    "k": st.integers(1, 32), "k1": st.integers(1, 8), "k2": st.integers(8, 32),
    "style": st.sampled_from(list(STYLE_OPTIONS)), "value": st.sampled_from(["carry", "reset"]),
    "gradient": st.sampled_from(["cut", "pass"]), "seed": st.integers(0, 2**32 - 1)})


@settings(max_examples=80)
@given(OPTIONS, st.sampled_from(list(CELL_OPTIONS)))
def test_every_certificate_is_kept(options: dict[str, object], cell: str) -> None:
    found = analyze(parse(options | CELL_OPTIONS[cell]), include=frozenset())
    for certificate in (found.certificate, found.certificate_full):
        assert certificate.status == "passed", certificate
        assert certificate.worst <= 1e-10
        assert certificate.checked_losses == certificate.all_losses


def test_all_cells_are_meant() -> None:
    assert set(CELL_KEYS) == set(CELLS)
    assert full_plan(3).tracks == 1
