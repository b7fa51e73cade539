"""Credit, contributions, carry-over and comparison against loops so plain that they cannot be wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import analyze, parse
from engine.arrays import quiet_single_thread
from engine.carryover import carry_over
from engine.compare import compare
from engine.credit import credit
from engine.norms import contributions
from engine.reference import reference
from engine.terms import Once, gram
from engine.truncation import full_plan, plan_of
from tests.engine.setups import CELL_IDS, CELL_KEYS, CELL_OPTIONS, Case, Sizes, case, relative
from tests.engine.test_truncation import PLANS, single_loss_terms, step_terms


@pytest.mark.parametrize("reset", [(), (4, 8), (1, 2, 9)])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_credit_is_one_backward_sweep_per_loss(cell: tuple[str, bool], layers: int, reset: tuple[int, ...]) -> None:
    x = case(cell, Sizes(layers=layers))
    plan = full_plan(11)
    plan.reset[list(reset)] = True
    plan.edge[list(reset)] = 0.0
    steps = np.array([0, 3, 4, 7, 10])
    h, c = credit(x.network, x.params, x.tape(plan), plan.reset, steps)
    H = x.network.hidden
    assert (c is None) == (x.network.cell.parts == 1)
    for row, s in enumerate(steps):
        alone = replace(x, data=replace(x.data, counts=np.arange(11) == s)).gradients(plan)
        stacked = np.stack(alone.states)
        for part, found in enumerate((h, c)[: x.network.cell.parts]):
            mine = stacked[:, :, part * H : (part + 1) * H]
            truth = np.sqrt(np.square(mine).sum(axis=(0, 2))).mean(axis=1)
            assert relative(found[row], truth) <= 1e-13
            last = max([r for r in reset if r <= s], default=0)
            assert (found[row, :last] == 0).all()
            assert (found[row, s + 1 :] == 0).all()


def test_credit_of_many_losses_is_an_even_selection() -> None:
    found = analyze(parse({"steps": 300, "hidden": 3, "batch": 1, "task": "lagged_bits"}), certify=False).credit
    assert not found.complete
    assert len(found.loss_steps) == 256
    assert (found.loss_steps[0], found.loss_steps[-1]) == (0, 299)
    assert set(np.diff(found.loss_steps)) <= {1, 2}


@pytest.mark.parametrize("scale", [1e-250, 1e-200, 1e-150, 1.0, 1e150, 1e200])
@pytest.mark.parametrize("layers", [1, 2])
def test_credit_at_any_scale(scale: float, layers: int) -> None:
    kept = reference(parse({"steps": 40, "hidden": 5, "batch": 2, "layers": layers, "gain": 1.5}))
    x, tape, none, rows = kept.x, kept.tape, np.zeros(40, bool), np.arange(40)
    with quiet_single_thread():
        truth = np.stack(credit(x.network, x.params, tape, none, rows))
        found = np.stack(credit(x.network, x.params, replace(tape, dy=scale * tape.dy), none, rows))
    assert truth.max() > 0.01
    assert np.allclose(found / scale, truth, rtol=1e-12, atol=0.0)


def test_credit_keeps_its_digits_where_squares_underflow_on_the_way_back() -> None:
    kept = reference(parse({"cell": "rnn", "steps": 200, "hidden": 6, "batch": 2, "gain": 0.05}))
    with quiet_single_thread():
        found = credit(kept.x.network, kept.x.params, kept.tape, kept.plan.reset, np.arange(200))[0]
        for loss in (199, 130, 40):
            alone = kept.row(loss).h
            assert np.allclose(found[loss], alone, rtol=1e-11, atol=0.0)
    assert 0 < found[199, 80] < 1e-145 < 1e-100 < found[199, 150]


def test_credit_of_what_overflows_is_infinite_and_the_rest_is_not() -> None:
    kept = reference(parse({"steps": 40, "hidden": 5, "batch": 2}))
    dy = kept.tape.dy.copy()
    dy[30] = np.inf
    with quiet_single_thread():
        found = credit(kept.x.network, kept.x.params, replace(kept.tape, dy=dy), kept.plan.reset, np.arange(40))[0]
        truth = credit(kept.x.network, kept.x.params, kept.tape, kept.plan.reset, np.arange(40))[0]
    assert not np.isfinite(found[30, 30])
    assert np.allclose(np.delete(found, 30, 0), np.delete(truth, 30, 0), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("config", PLANS[:4], ids=lambda c: c.style)
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_contributions_are_norms_of_the_steps_terms(cell: tuple[str, bool], config: object) -> None:
    x = case(cell, Sizes(layers=2, embedding=2))
    found = x.gradients(plan_of(replace(config, steps=11)))
    norms = contributions(found)
    for name, block in found.blocks.items():
        terms = step_terms(found, name, block.shape)
        assert relative(terms.sum(axis=0), block) <= 1e-13
        assert relative(norms[name], np.sqrt(np.square(terms).reshape(11, -1).sum(axis=1))) <= 1e-12


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_contributions_of_a_gradient_of_1e200_keep_their_digits(scale: float) -> None:
    x = case(("lstm", True))
    found = x.gradients(full_plan(11))
    scaled = replace(found, terms={name: [(scale * a, b) for a, b in pairs] for name, pairs in found.terms.items()})
    with quiet_single_thread():
        plain, large = contributions(found), contributions(scaled)
    assert all(np.allclose(large[name] / scale, plain[name], rtol=1e-12) for name in plain)


@pytest.mark.parametrize("B", [2, 8, 64])
@pytest.mark.parametrize("left_over", [0.0, 1e-12, 1e-9, 1e-6, 1e-3])
def test_contributions_keep_their_digits_where_samples_cancel(B: int, left_over: float) -> None:
    rng = np.random.default_rng(0)
    found = case(("rnn", True)).gradients(full_plan(11))
    left, right = rng.normal(size=(4, 5, B)), np.ones((4, 3, B))
    left[..., -1] = -left[..., :-1].sum(axis=2) * (1 - left_over)
    norms = contributions(replace(found, terms={"b": [(left, right)]}))["b"]
    truth = np.linalg.norm(np.einsum("tpn,tqn->tpq", left, right).reshape(4, -1), axis=1) / B
    assert np.abs(norms - truth).max() <= 1e-12 * truth.max() + 1e-14


@given(st.integers(2, 12), st.integers(0, 999))
def test_contributions_sum_to_the_gradient_with_one_sample(T: int, seed: int) -> None:
    x = case(("gru", True), Sizes(T=T, B=1), seed)
    found = x.gradients(full_plan(T))
    whole = contributions(found)
    assert all(np.linalg.norm(found.blocks[name]) <= whole[name].sum() * (1 + 1e-12) for name in whole)
    assert len(single_loss_terms(x, np.zeros(T, bool))) == T


def plain_carry(x: Case, starts: list[int]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Returns the distance after each step, before each later window, and the steps until it has halved."""
    T, B = x.data.xs.shape[0], x.data.xs.shape[2]
    plan = full_plan(T)
    carried = np.stack([layer.states for layer in x.tape(plan).layers])
    plan.reset[starts[1:]] = True
    reset = np.stack([layer.states for layer in x.tape(plan).layers])
    initial = np.stack(x.data.initial)
    distance = [sum(math.dist(carried[:, t, :, b].ravel(), reset[:, t, :, b].ravel()) for b in range(B)) / B
                for t in range(T)]
    before = [sum(math.dist(carried[:, s - 1, :, b].ravel(), initial[:, :, b].ravel()) for b in range(B)) / B
              for s in starts[1:]]
    half = []
    for gap, s, end in zip(before, starts[1:], [*starts[2:], T], strict=False):
        half.append(next((t - s + 1 for t in range(s, end) if distance[t] <= gap / 2), -1))
    return np.array(distance), np.array(before), half


@pytest.mark.parametrize("k", [1, 4, 11])
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_carry_over_is_two_runs_side_by_side(cell: tuple[str, bool], k: int) -> None:
    x = case(cell, Sizes(layers=2), scale=0.3)
    starts = list(range(0, 11, k))
    plan, again = full_plan(11), full_plan(11)
    again.reset[starts[1:]] = True
    carried, reset = x.tape(plan), x.tape(again)
    found = carry_over(x.network, x.data, np.array(starts), carried, reset)
    distance, before, half = plain_carry(x, starts)
    assert relative(found.distance, distance) <= 1e-14
    assert relative(found.start_distance, before) <= 1e-14
    assert found.half_life.tolist() == half
    assert (found.distance[:k] == 0).all()
    assert found.total_carried == pytest.approx(carried.losses.mean(axis=1).sum(), rel=1e-14)
    assert found.total_reset == pytest.approx(reset.losses.mean(axis=1).sum(), rel=1e-14)
    assert np.array_equal(found.units_carried, carried.layers[-1].states[:, : x.network.hidden, 0])
    assert np.array_equal(found.units_reset, reset.layers[-1].states[:, : x.network.hidden, 0])


def plain_compare(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float, float]:
    """Returns cosine, angle, relative error and kept, by their definitions."""
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    size, length = math.hypot(*b), math.hypot(*a)
    cosine = dot / size / length
    return cosine, math.degrees(math.acos(max(-1, min(1, cosine)))), math.dist(a, b) / size, dot / size**2


@given(st.integers(1, 8), st.integers(0, 9999))
def test_compare_by_definition(n: int, seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, n))
    found = compare(a, b)
    cosine, angle, error, kept = plain_compare(a, b)
    assert found.cosine == pytest.approx(cosine, abs=1e-14)
    assert found.angle == pytest.approx(angle, abs=1e-5)
    assert found.relative_error == pytest.approx(error, rel=1e-13)
    assert found.kept == pytest.approx(kept, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-101, 1e-99, 1e99, 1e101, 1e200, 1e300])
def test_compare_at_any_scale(scale: float) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 6))
    plain, found = compare(a, b), compare(scale * a, scale * b)
    assert found.cosine == pytest.approx(plain.cosine, rel=1e-13)
    assert found.kept == pytest.approx(plain.kept, rel=1e-13)
    assert found.norm_full == pytest.approx(plain.norm_full * scale, rel=1e-13)
    assert found.norm_truncated == pytest.approx(plain.norm_truncated * scale, rel=1e-13)


@pytest.mark.parametrize("scale", [1e-250, 1e-150, 1e-90])
def test_compare_with_very_little(scale: float) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 6))
    plain, found = compare(a, b), compare(scale * a, b)
    assert found.cosine == pytest.approx(plain.cosine, rel=1e-13)
    assert found.angle == pytest.approx(plain.angle, rel=1e-13)
    assert found.kept == pytest.approx(plain.kept * scale, rel=1e-13)
    assert found.norm_truncated == pytest.approx(plain.norm_truncated * scale, rel=1e-13)


def test_compare_keeps_the_digits_of_a_small_angle() -> None:
    a, b = np.array([1.0, 1e-12]), np.array([1.0, 0.0])
    assert compare(a, b).angle == pytest.approx(math.degrees(1e-12), rel=1e-3)


def test_compare_with_nothing() -> None:
    zero, one, bad = np.zeros(2), np.ones(2), np.array([np.inf, 1.0])
    found = compare(zero, one)
    assert (found.kept, found.relative_error, found.norm_truncated) == (0.0, 1.0, 0.0)
    assert math.isnan(found.cosine)
    assert math.isnan(found.angle)
    for part, whole in ((one, zero), (zero, zero), (one, bad), (bad, one)):
        with np.errstate(all="ignore"):
            assert math.isnan(compare(part, whole).kept)
    for same in (one, one.copy()):
        found = compare(one, same)
        assert (found.cosine, found.kept) == pytest.approx((1.0, 1.0), rel=1e-15)
        assert found.angle == found.relative_error == 0.0
        assert found.norm_full == found.norm_truncated == pytest.approx(math.sqrt(2.0), rel=1e-15)


@pytest.mark.parametrize("options", [{"style": "window", "k": 40}, {"style": "sliding", "k": 20},
                                     {"style": "k1k2", "k1": 20, "k2": 20}, {"style": "k1k2", "k1": 3, "k2": 25},
                                     {"style": "window", "k": 5, "gradient": "pass"}],
                         ids=["window", "sliding", "k1k2", "k1k2 overlapping", "passed"])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_what_cuts_nothing_equals_full(cell: str, options: dict[str, object]) -> None:
    sizes = {"steps": 20, "hidden": 6, "batch": 3}
    found = analyze(parse(CELL_OPTIONS[cell] | sizes | options), include=frozenset({"gradients"}))
    whole = analyze(parse(CELL_OPTIONS[cell] | sizes | {"style": "full"}), include=frozenset({"gradients"}))
    for name, gradient in found.gradients.items():
        assert relative(gradient, whole.gradients[name]) <= 1e-13
        assert found.costs.blocks[name].kept == pytest.approx(1, rel=1e-13)
    assert relative(found.truncated.h, whole.full.h) <= 1e-13
    assert found.costs.whole.relative_error <= 1e-13
    assert not found.plan.cut.any()


def test_contributions_of_a_large_batch_are_made_some_steps_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = case(("gru", True), Sizes(B=5, embedding=2)).gradients(full_plan(11))
    whole = contributions(found)
    for steps in (1, 4):
        monkeypatch.setattr("engine.norms.MOST_PRODUCTS", steps * 25)
        parts = contributions(found)
        assert parts.keys() == whole.keys()
        assert all(relative(parts[name], whole[name]) <= 1e-14 for name in whole)


@pytest.mark.parametrize("B", [4, 64])
def test_contributions_take_the_shorter_way(B: int) -> None:
    """Columns are held against each other only where they have fewer products than a step's matrix has entries."""
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(4, 7, B)), rng.normal(size=(4, 5, B))
    found = replace(case(("rnn", True)).gradients(full_plan(11)), terms={"b": [(left, right)]}, grams=Once(gram))
    norms = contributions(found)["b"]
    truth = np.linalg.norm(np.einsum("tpn,tqn->tpq", left, right).reshape(4, -1), axis=1) / B
    assert np.allclose(norms, truth, rtol=1e-13, atol=0.0)
    assert len(found.grams.made) == (2 if B * B <= 7 * 5 else 0)
