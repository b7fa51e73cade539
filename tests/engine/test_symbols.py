"""An analysis reads symbols by their numbers: beside the same run over their one-hot columns, and what is shared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.backprop import Gradients, backprop, gathered, swept
from engine.certify import certificate
from engine.lags import by_lag, inputs_used
from engine.norms import contributions
from engine.symbols import columns_of, sums_of
from engine.terms import Once, gram, same
from engine.truncation import Plan, plan_of
from engine.unroll import Tape
from tests.engine.setups import CELL_IDS, CELL_KEYS, Case, Sizes, case, full, relative
from tests.engine.test_truncation import PLANS

V, UNSEEN = 7, (0, 4)  # two of seven symbols never occur


def symbolic(cell: tuple[str, bool], embedding: int = 0, B: int = 3) -> tuple[Case, Case]:
    """Returns a case that reads symbols, and the same with their one-hot columns."""
    x = case(cell, Sizes(D=V, B=B, layers=2, embedding=embedding))
    numbers = np.random.default_rng(1).choice([n for n in range(V) if n not in UNSEEN], size=(11, B))
    return replace(x, data=replace(x.data, xs=numbers)), replace(x, data=replace(x.data, xs=columns_of(numbers, V)))


def both(cell: tuple[str, bool], plan: Plan, embedding: int = 0, B: int = 3) -> list[tuple[Case, Tape, Gradients]]:
    """Returns each case with its tape and its gradients."""
    return [(x, x.tape(plan), x.gradients(plan)) for x in symbolic(cell, embedding, B)]


@pytest.mark.parametrize("embedding", [0, 2])
@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_symbols_are_their_one_hot_columns(cell: tuple[str, bool], B: int, embedding: int) -> None:
    for config in PLANS:
        (_, tape, found), (_, dense, truth) = both(cell, plan_of(replace(config, steps=11)), embedding, B)
        assert relative(tape.losses, dense.losses) <= 1e-15
        assert relative(found.states[0], truth.states[0]) <= 1e-14
        for name, block in truth.blocks.items():
            assert found.blocks[name].shape == block.shape
            assert found.blocks[name].flags.c_contiguous
            assert relative(found.blocks[name], block) <= 1e-14, name
            assert relative(contributions(found)[name], contributions(truth)[name]) <= 1e-13, name


@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_a_symbol_that_never_occurs_has_no_gradient(cell: tuple[str, bool]) -> None:
    plain, embedded = (both(cell, full(11), embedding)[0][2].blocks for embedding in (0, 2))
    here = [n for n in range(V) if n not in UNSEEN]
    assert not plain["l0.W_ih"][:, UNSEEN].any()
    assert not embedded["E"][UNSEEN, :].any()
    assert plain["l0.W_ih"][:, here].all()
    assert embedded["E"][here].all()


@pytest.mark.parametrize("embedding", [0, 2])
def test_lags_and_certificate_read_symbols_too(embedding: int) -> None:
    (x, tape, found), (y, dense, truth) = both(("lstm", True), full(11), embedding)
    assert np.array_equal(inputs_used(tape), inputs_used(dense))
    for one, other in zip(by_lag(x.network, x.params, tape, x.data.counts),
                          by_lag(y.network, y.params, dense, y.data.counts), strict=True):
        for name, block in other.blocks.items():
            assert relative(one.blocks[name], block) <= 1e-14
    one, other = (certificate(z.network, z.params, z.data, t, full(11), g, np.random.default_rng(0))
                  for z, t, g in ((x, tape, found), (y, dense, truth)))
    assert one.status == other.status == "passed"
    assert [b.complex_step for b in one.blocks] == pytest.approx([b.complex_step for b in other.blocks], rel=1e-12)


def test_a_part_of_a_tape_has_its_symbols() -> None:
    tape = both(("gru", True), full(11))[0][1].layers[0]
    part = tape.part(slice(2, 5), slice(1, 3))
    assert np.array_equal(part.xs, tape.xs[2:5, 1:3])
    assert part.states.shape == (3, tape.states.shape[1], 2)


@pytest.mark.parametrize("many", [3, 40])
def test_sums_over_equal_symbols(many: int) -> None:
    rng = np.random.default_rng(0)
    xs, rows = rng.integers(many, size=(6, 5)), rng.normal(size=(30, 4))
    truth = np.zeros((many, 4))
    for symbol, row in zip(xs.ravel(), rows, strict=True):
        truth[symbol] += row
    np.testing.assert_allclose(sums_of(rows, xs, many), truth, rtol=0, atol=1e-14)


def test_cancelling_columns_of_equal_symbols_keep_their_digits() -> None:
    """Two samples of one symbol whose columns are opposite but for a little: the Gram product loses it."""
    left = np.array([[[1.0, -1.0 + 1e-9, 2.0], [3.0, -3.0, 1e-9]]])
    found = replace(both(("rnn", True), full(11))[0][2], terms={"l0.W_ih": [(left, np.array([[5, 5, 2]]))]})
    truth = np.linalg.norm([[left[0, 0, :2].sum(), 2.0], [0.0, 1e-9]]) / 3
    assert contributions(found)["l0.W_ih"][0] == pytest.approx(truth, rel=1e-15)


def test_what_two_sweeps_of_a_tape_have_in_common_is_made_once() -> None:
    x = symbolic(("lstm", True))[0]
    cut, tape = plan_of(replace(PLANS[1], steps=11)), x.tape(full(11))
    one = backprop(x.network, x.params, tape, full(11))
    left = swept(x.network, x.params, tape, [cut])[0]
    alone, beside = (gathered(x.network, x.params, tape, cut, left, known) for known in (None, one))
    assert {name for name in one.blocks if beside.blocks[name] is one.blocks[name]} == {"W_hy", "b_y"}
    assert same(one.terms["W_hy"], beside.terms["W_hy"])
    assert not same(one.terms["l0.W_ih"], beside.terms["l0.W_ih"])
    contributions(one)
    norms = contributions(beside)
    assert len(beside.grams.made) == len(tape.layers)  # of the records alone
    for name, block in alone.blocks.items():
        assert np.array_equal(beside.blocks[name], block)
        assert np.array_equal(norms[name], contributions(alone)[name])


def test_a_plan_that_counts_a_loss_twice_has_a_readout_of_its_own() -> None:
    x = symbolic(("rnn", True))[0]
    twice, tape = replace(full(11), inject=np.full((11, 1), 2.0)), x.tape(full(11))
    one = backprop(x.network, x.params, tape, full(11))
    found = gathered(x.network, x.params, tape, twice, swept(x.network, x.params, tape, [twice])[0], one)
    assert relative(found.blocks["W_hy"], 2.0 * one.blocks["W_hy"]) <= 1e-15


def test_once_tells_other_memory_apart() -> None:
    made, rng = Once(gram), np.random.default_rng(0)
    x = rng.normal(size=(3, 4, 2))
    assert made(x) is made(x[:])
    for _ in range(50):  # an array that is gone must not lend its place to the next
        y = rng.normal(size=(3, 4, 2))
        assert np.array_equal(made(y), gram(y))
        del y
