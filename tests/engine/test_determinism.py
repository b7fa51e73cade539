"""Same config, same numbers: to the bit, whatever the BLAS threads and whatever ran before."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine import Analysis, Config, Given, analyze, certify, parse
from engine.experiment import prepare
from engine.reference import reference
from tests.engine.setups import CELL_OPTIONS, STYLE_OPTIONS

EVERYTHING = frozenset({"credit", "gradients", "weights", "states", "inputs"})


def same(a: object, b: object) -> bool:
    """Returns whether two answers are equal to the last bit, NaN being equal to NaN."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return bool(a == b or (a != a and b != b))


def answer(config: Config) -> dict[str, object]:
    found: Analysis = analyze(config, include=EVERYTHING)
    return asdict(found)


@pytest.mark.parametrize("style", STYLE_OPTIONS)
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_a_second_run_is_equal_to_the_last_bit(cell: str, style: str) -> None:
    config = parse(CELL_OPTIONS[cell] | STYLE_OPTIONS[style] | {"hidden": 16, "batch": 4, "steps": 30, "layers": 2})
    assert same(answer(config), answer(config))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_number_of_blas_threads_does_not_matter(threads: int) -> None:
    config = parse({"hidden": 96, "batch": 8, "steps": 24, "k": 7})
    alone = answer(config)
    with threadpool_limits(limits=threads, user_api="blas"):
        assert same(answer(config), alone)


def test_neither_global_randomness_nor_earlier_runs_matter() -> None:
    config = parse({"hidden": 8, "steps": 20, "task": "copy", "lag": 5})
    alone = answer(config)
    np.random.seed(3)
    answer(replace(config, seed=1, cell="gru"))
    assert same(answer(config), alone)


def test_certify_is_analyzes_certificate() -> None:
    config = parse({"hidden": 8, "steps": 20, "k": 6})
    found = analyze(config)
    assert certify(config) == (found.certificate, found.certificate_full)


def test_what_is_included_does_not_change_the_rest() -> None:
    config = parse({"hidden": 8, "steps": 20, "k": 6})
    rich, bare = answer(config), asdict(analyze(config, include=frozenset()))
    assert [bare[name] for name in ("credit", "gradients", "gradients_full", "weights", "arrays")] == [None] * 5
    for name in ("loss", "states", "truncated", "full", "costs", "carry_over", "certificate", "certificate_full"):
        assert same(rich[name], bare[name]), name


def test_weights_data_and_directions_have_a_stream_each() -> None:
    config = parse({"hidden": 8, "steps": 20, "task": "lagged_bits"})
    base = prepare(config)
    other_cell, other_task = prepare(replace(config, cell="gru")), prepare(replace(config, task="copy", lag=3))
    longer = prepare(replace(config, steps=40))
    assert np.array_equal(base.batch.inputs, other_cell.batch.inputs)
    assert np.array_equal(base.params["l0.W_hh"], longer.params["l0.W_hh"])
    assert np.array_equal(prepare(config).params["l0.W_hh"], base.params["l0.W_hh"])
    assert not np.array_equal(base.params["l0.b"], other_task.params["l0.b"][::-1])


@pytest.mark.parametrize("task", ["copy", "adding", "lagged_bits", "series"])
def test_another_seed_gives_other_data_and_weights(task: str) -> None:
    config = parse({"hidden": 8, "steps": 20, "task": task, "lag": 5})
    a, b = prepare(config), prepare(replace(config, seed=1))
    assert not np.array_equal(a.batch.inputs, b.batch.inputs)
    assert all(not np.array_equal(a.params[name], b.params[name]) for name in a.params)


def test_nobody_can_write_to_what_is_shared() -> None:
    """An answer's weights may be kept for the next answer, and a caller's arrays are the caller's."""
    config = parse({"hidden": 4, "steps": 10, "batch": 2, "task": "series"})
    mine = {"l0.W_hh": np.full((16, 4), 0.1)}
    found = analyze(config, Given(weights=mine, inputs=np.ones((10, 2, 1))), EVERYTHING)
    for kept in (found.weights, found.gradients, found.gradients_full):
        for name, block in kept.items():
            with pytest.raises(ValueError, match="read-only"):
                block[...] = 7
            assert name in found.weights
    mine["l0.W_hh"][...] = 7
    assert (found.weights["l0.W_hh"] == 0.1).all()


def test_a_kept_reference_changes_no_number() -> None:
    config = parse({"hidden": 6, "steps": 24, "batch": 2, "k": 5})
    kept = reference(config)
    for k in (3, 8, 30):
        for value in ("carry", "reset"):
            moved = replace(config, k=k, value=value)
            assert same(asdict(analyze(moved, include=EVERYTHING, kept=kept)), answer(moved))
    other = replace(config, hidden=7)
    assert same(asdict(analyze(other, include=EVERYTHING, kept=kept)), answer(other)), "of another network: not used"
