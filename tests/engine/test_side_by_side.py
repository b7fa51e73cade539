"""Plans that are swept side by side have the numbers that each has by itself, to the last bit: an answer must not
depend on what a server knew already."""

from dataclasses import replace

import numpy as np
import pytest

from engine import analyze, parse
from engine.arrays import Array, quiet_single_thread
from engine.backprop import Swept, swept
from engine.reference import alone, reference
from engine.truncation import plan_of
from tests.engine.setups import CELL_OPTIONS

SIZES = [{"layers": 2}, {"batch": 1, "hidden": 5}, {"embedding": 4, "hidden": 16, "batch": 8}]


def same(a: Array, b: Array) -> bool:
    return np.array_equal(a.view(np.uint8) if a.flags.c_contiguous else np.ascontiguousarray(a).view(np.uint8),
                          np.ascontiguousarray(b).view(np.uint8))


def all_of(found: Swept) -> list[Array]:
    return [*found.states, *found.records, *found.initial, *found.before]


@pytest.mark.parametrize("cell", CELL_OPTIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_three_sweeps_at_once_are_three_sweeps(cell, sizes):
    config = parse({"steps": 30, "hidden": 7, "batch": 3, "k": 6} | sizes | CELL_OPTIONS[cell])
    kept = reference(config)
    x, plans = kept.x, [plan_of(config), kept.plan, alone(kept.plan, 21)]
    with quiet_single_thread():
        together = swept(x.network, x.params, kept.tape, plans)
        apart = [swept(x.network, x.params, kept.tape, [plan])[0] for plan in plans]
    for one, other in zip(together, apart, strict=True):
        assert all(same(a, b) for a, b in zip(all_of(one), all_of(other), strict=True))
    assert not same(together[0].states[0], together[1].states[0])  # the plans differ, and so do the sweeps


def test_a_closed_edge_stops_what_is_infinite_also_beside_an_open_one():
    config = parse({"steps": 40, "hidden": 8, "batch": 2, "k": 10})
    kept = reference(config)
    dy = kept.tape.dy.copy()
    dy[-1] = np.inf
    with quiet_single_thread():
        whole, part = swept(kept.x.network, kept.x.params, replace(kept.tape, dy=dy), [kept.plan, plan_of(config)])
    assert not np.isfinite(whole.states[0]).any()
    assert np.isfinite(part.states[0][:30]).all()


@pytest.mark.parametrize("options", [{}, {"value": "reset"}, {"style": "sliding", "k": 4}, {"style": "full"},
                                     {"style": "random", "p": 0.2}], ids=str)
def test_an_answer_is_the_same_with_and_without_a_reference_that_was_kept(options):
    config = parse({"steps": 24, "hidden": 6, "batch": 4, "k": 5} | options)
    include = frozenset({"row", "gradients"})
    fresh = analyze(config, None, include, False, loss=13)
    kept = reference(config)
    analyze(parse({"steps": 24, "hidden": 6, "batch": 4, "k": 9}), None, frozenset({"row"}), False, kept)
    for _ in range(2):  # the second time everything of the reference is known
        again = analyze(config, None, include, False, kept, loss=13)
        assert same(fresh.row.h, again.row.h)
        assert fresh.row.loss_step == again.row.loss_step == 13
        assert all(same(fresh.gradients[name], again.gradients[name]) for name in fresh.gradients)
        assert all(same(fresh.gradients_full[name], again.gradients_full[name]) for name in fresh.gradients_full)
        assert same(fresh.truncated.h, again.truncated.h)
