"""Style random(p): its plans, its certificates, and many draws beside the full gradient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import analyze, parse
from engine.backprop import backprop
from engine.config import Config
from engine.draws import DRAWS, draws
from engine.reference import reference
from engine.truncation import Plan, dead_edges, draw_cuts, full_plan, plan_of, reach, taper, title_of, weights
from tests.engine.setups import CELL_OPTIONS, relative

SMALL = {"hidden": 4, "batch": 2, "steps": 18, "style": "random", "p": 0.2}


@given(st.integers(2, 24), st.floats(0, 0.95), st.integers(0, 999))
def test_weights_are_products_over_the_edges(T: int, p: float, seed: int) -> None:
    plan = plan_of(Config(steps=T, style="random", p=p, seed=seed))
    cut = plan.edge[:, 0] == 0
    found = reach(plan)
    for s in range(T):
        row = weights(plan)[s]
        first = int(np.flatnonzero(cut[: s + 1])[-1]) if cut[: s + 1].any() else 0
        assert found[s] == first
        for t in range(T):
            assert row[t] == pytest.approx((1 - p) ** -(s - t) if first <= t <= s else 0, rel=1e-12)
    assert plan.starts.tolist() == [0, *np.flatnonzero(cut)]
    assert not cut[0]
    assert dead_edges(found).tolist() == cut.tolist()
    share = taper(found)
    assert share.tolist() == [np.mean([s - lag >= found[s] for s in range(lag, T)]) for lag in range(T)]


def test_cuts_are_seeded() -> None:
    edges = [plan_of(Config(steps=60, style="random", p=0.3, seed=seed)).edge.tobytes() for seed in (0, 0, 1)]
    assert edges[0] == edges[1] != edges[2]
    assert title_of(Config(style="random", p=0.3)) == "random(0.3), state carried, gradient cut"


def test_the_mean_weight_is_one_and_its_second_moment_grows() -> None:
    T, p, n = 8, 0.3, 20_000
    rng = np.random.default_rng(0)
    edge = np.stack([draw_cuts(T, p, rng)[1][1:, 0] for _ in range(n)])
    product = np.cumprod(edge, axis=1)  # lag 1 ... T - 1
    second = (1 - p) ** -np.arange(1.0, T)
    assert np.allclose(product.mean(axis=0), 1, atol=5 * np.sqrt(second[-1] / n))
    assert np.allclose((product**2).mean(axis=0), second, rtol=0.1)
    assert ((edge == 0).mean(axis=0) == pytest.approx(p, abs=0.02))


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_the_mean_of_many_draws_tends_to_the_full_gradient(cell: str) -> None:
    kept = reference(parse(SMALL | CELL_OPTIONS[cell]))
    rng, n, T = np.random.default_rng(0), 400, 18
    full = kept.gradients.blocks["l0.W_hh"]
    found = []
    for _ in range(n):
        inject, edge = draw_cuts(T, 0.2, rng)
        plan = Plan("", np.zeros(1, int), np.zeros(T, bool), inject, edge)
        found.append(backprop(kept.x.network, kept.x.params, kept.tape, plan).blocks["l0.W_hh"])
    spread = np.sqrt(np.square(np.stack(found) - full).sum(axis=(1, 2)).mean())
    error = np.linalg.norm(np.mean(found, axis=0) - full)
    assert error <= 3 * spread / np.sqrt(n), "as fast as a mean without bias must"


@pytest.mark.parametrize(("value", "gradient"), [("carry", "cut"), ("reset", "cut"), ("carry", "pass"),
                                                 ("reset", "pass")])
@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_certificates_hold(cell: str, seed: int, value: str, gradient: str) -> None:
    found = analyze(parse(SMALL | CELL_OPTIONS[cell] | {"seed": seed, "value": value, "gradient": gradient}))
    assert found.certificate.status == found.certificate_full.status == "passed"
    assert max(found.certificate.worst, found.certificate_full.worst) <= 1e-10
    assert found.plan.cut.any() == ((value, gradient) != ("carry", "pass"))


def test_reset_starts_anew_where_it_cuts() -> None:
    config = parse({**SMALL, "value": "reset"})
    plan = plan_of(config)
    assert len(plan.starts) > 1
    assert np.flatnonzero(plan.reset).tolist() == plan.starts[1:].tolist()
    passed = plan_of(parse({**SMALL, "value": "reset", "gradient": "pass"}))
    w = weights(passed)
    segment = np.searchsorted(plan.starts, np.arange(18), side="right")
    assert np.array_equal(w, np.tril(segment[:, None] == segment)), "what passes is not weighted"


def test_what_is_passed_with_the_value_carried_is_full_bptt() -> None:
    plan = plan_of(parse({**SMALL, "gradient": "pass"}))
    assert np.array_equal(weights(plan), weights(full_plan(18)))
    assert len(plan.starts) > 1, "the edges are still drawn"


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_p_of_zero_is_full_bptt(cell: str) -> None:
    found = analyze(parse(SMALL | CELL_OPTIONS[cell] | {"p": 0}), include=frozenset({"gradients", "draws"}))
    for name, block in found.gradients.items():
        assert np.array_equal(block, found.gradients_full[name])
    assert (found.draws.relative_error == 0).all()
    assert found.draws.mean_error <= 1e-15
    assert (found.draws.h_spread <= 1e-15).all()
    assert "p = 0" in found.draws.sentence


def test_draws_are_those_of_the_seed() -> None:
    first, again, other = (draws(reference(config), config) for config in
                           (parse(SMALL), parse(SMALL), parse({**SMALL, "seed": 1})))
    assert np.array_equal(first.relative_error, again.relative_error)
    assert not np.array_equal(first.relative_error, other.relative_error)
    assert first.p == 0.2
    assert len(first.cosine) == len(first.kept) == DRAWS


def test_the_summary_is_of_the_draws() -> None:
    config = parse(SMALL)
    kept = reference(config)
    found = draws(kept, config)
    rng = np.random.default_rng([config.seed, 18, DRAWS])
    runs = []
    for _ in range(DRAWS):
        inject, edge = draw_cuts(18, 0.2, rng)
        runs.append(backprop(kept.x.network, kept.x.params, kept.tape,
                             Plan("", np.zeros(1, int), np.zeros(18, bool), inject, edge)))
    full = np.concatenate([b.ravel() for b in kept.gradients.blocks.values()])
    flat = np.stack([np.concatenate([b.ravel() for b in run.blocks.values()]) for run in runs])
    assert found.mean_error == pytest.approx(relative(flat.mean(axis=0), full), rel=1e-10)
    assert found.mean_error < np.median(found.relative_error) / 2
    assert np.allclose(found.kept, flat @ full / (full @ full), rtol=1e-12)
    assert np.allclose(found.cosine, flat @ full / np.linalg.norm(flat, axis=1) / np.linalg.norm(full), rtol=1e-12)
    h = np.stack([np.linalg.norm(run.states[0][:, :4], axis=1).mean(axis=1) for run in runs])
    assert np.allclose(found.h_mean, h.mean(axis=0), rtol=1e-12)
    assert np.allclose(found.h_spread, h.std(axis=0), rtol=1e-10)
    assert found.h_spread[0] > found.h_spread[16], "the variance grows with the lag"


def test_draws_are_of_random_alone() -> None:
    assert analyze(parse({**SMALL, "style": "window"}), include=frozenset({"draws"}), certify=False).draws is None
