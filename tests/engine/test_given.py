"""The caller's own arrays: they are used as they are, and each wrong one is named, with expected and got."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Analysis, Config, Given, InputError, analyze, parse
from engine.errors import Problem

CONFIG = {"steps": 6, "batch": 2, "hidden": 3, "text": "hello world, hello", "k": 4}
EVERYTHING = frozenset({"credit", "gradients", "weights", "states", "inputs"})
RNG = np.random.default_rng(0)


def run(given: Given, **options: object) -> Analysis:
    return analyze(parse({**CONFIG, **options}), given, EVERYTHING)


def refused(given: Given, **options: object) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as error:
        run(given, **options)
    assert all(p.field and p.limit and p.remedy for p in error.value.problems)
    return error.value.problems


def test_given_weights_are_used_and_the_rest_is_drawn() -> None:
    drawn, W = run(Given()).weights, RNG.normal(size=(12, 3))
    found = run(Given(weights={"l0.W_hh": W.tolist()}))
    assert np.array_equal(found.weights["l0.W_hh"], W)
    assert np.array_equal(found.weights["l0.W_ih"], drawn["l0.W_ih"])
    assert found.certificate.status == "passed"


@pytest.mark.parametrize("name", ["l0.W_ih", "l0.W_hh", "l0.b", "l1.W_ih", "E", "W_hy", "b_y"])
def test_a_block_of_a_wrong_shape_is_named_with_expected_and_got(name: str) -> None:
    shape = run(Given(), embedding=4, layers=2).weights[name].shape
    (problem,) = refused(Given(weights={name: np.zeros((*shape, 2))}), embedding=4, layers=2)
    assert problem.field == f"weights.{name}"
    assert str(shape) in problem.limit
    assert str((*shape, 2)) in problem.value


def test_every_wrong_block_is_told_at_once() -> None:
    problems = refused(Given(weights={"l0.W_hh": [[1.0]], "l0.b": "x", "l0.W_hx": [1.0], "l1.b": [0.0],
                                      "W_hy": [[np.nan] * 3] * 9}))
    assert [p.field for p in problems] == ["weights.l0.W_hh", "weights.l0.b", "weights.l0.W_hx", "weights.l1.b",
                                           "weights.W_hy"]
    assert problems[2].remedy.startswith("Did you mean l0.W_")


def test_lstm_blocks_do_not_fit_a_gru() -> None:
    (problem,) = refused(Given(weights={"l0.b": np.zeros(12)}), cell="gru")
    assert "(9,)" in problem.limit
    assert "(12,)" in problem.value


def test_given_symbols_and_targets() -> None:
    inputs, targets = RNG.integers(8, size=(6, 2)), RNG.integers(8, size=(6, 2))
    found = run(Given(inputs=inputs, targets=targets), task="copy", lag=2)
    assert np.array_equal(found.arrays["inputs"], inputs)
    assert np.array_equal(found.arrays["targets"], targets)
    assert found.sequence.source == "your inputs"
    assert found.sequence.loss_steps.tolist() == list(range(6)), "given targets count at every step"


def test_given_values_make_a_network_of_their_width() -> None:
    inputs, targets = RNG.normal(size=(6, 2, 5)), RNG.normal(size=(6, 2, 3))
    found = run(Given(inputs=inputs, targets=targets), task="series")
    assert found.weights["l0.W_ih"].shape == (12, 5)
    assert found.weights["W_hy"].shape == (3, 3)
    assert found.loss.unit == "squared error"
    assert found.certificate.status == found.certificate_full.status == "passed"


def test_symbols_may_be_given_to_a_task_of_values() -> None:
    found = run(Given(inputs=[[0, 4], [1, 1], [2, 2], [3, 3], [0, 0], [1, 1]]), task="series")
    assert found.weights["l0.W_ih"].shape == (12, 5)
    assert found.sequence.vocabulary == ("0", "1", "2", "3", "4")


def test_a_mask_says_where_the_losses_are() -> None:
    found = run(Given(mask=[0, 1, 0, 0, 1, 0]))
    assert found.sequence.loss_steps.tolist() == [1, 4]
    assert np.isnan(found.loss.per_step).tolist() == [True, False, True, True, False, True]
    assert (found.truncated.h[5], found.full.h[5]) == (0.0, 0.0)
    assert found.credit.loss_steps.tolist() == [1, 4]
    last = run(Given(mask=[0, 1, 0, 0, 1, 0]), loss_at="last")
    assert last.sequence.loss_steps.tolist() == [4]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_an_initial_state_is_where_the_run_starts(cell: str) -> None:
    parts = ("h", "c") if cell == "lstm" else ("h",)
    start = {f"l{layer}.{part}": RNG.normal(size=(2, 3)) for layer in (0, 1) for part in parts}
    plain, found = (run(Given(initial_state=s), cell=cell, layers=2, value="reset") for s in (None, start))
    assert not np.allclose(plain.arrays["l1.h"][0], found.arrays["l1.h"][0])
    assert not np.allclose(plain.arrays["l0.h"][4], found.arrays["l0.h"][4]), "a reset goes back to it"
    zero = run(Given(initial_state={"l0.h": np.zeros((2, 3))}), cell=cell, layers=2, value="reset")
    assert np.array_equal(zero.arrays["l1.h"], plain.arrays["l1.h"])


def test_a_vocabulary_fixes_the_order_and_number_of_symbols() -> None:
    symbols = tuple("zyxwvutsrqponmlkjihgfedcba ,")
    found = run(Given(vocabulary=symbols))
    assert found.sequence.vocabulary == symbols
    assert found.weights["W_hy"].shape == (28, 3)
    assert found.arrays["inputs"][0, 0] == symbols.index("h")
    (problem,) = refused(Given(vocabulary=tuple("helo")))
    assert problem.field == "text"
    assert "4 symbols" in problem.limit


BAD = [
    ({"inputs": [[0, 1]]}, "inputs", "(1, 2)"), ({"inputs": np.zeros((6, 3, 1))}, "inputs", "(6, 3, 1)"),
    ({"inputs": "abc"}, "inputs", "non-numeric"), ({"inputs": [[0, 1], [2]]}, "inputs", "ragged"),
    ({"inputs": np.full((6, 2), 0.5)}, "inputs", "no symbol"), ({"inputs": np.full((6, 2), -1)}, "inputs", "no symbol"),
    ({"inputs": np.full((6, 2), 99)}, "inputs", "99"), ({"inputs": np.full((6, 2, 1), np.nan)}, "inputs", "not finite"),
    ({"targets": np.zeros((2, 6))}, "targets", "(2, 6)"), ({"targets": np.full((6, 2), 99)}, "targets", "99"),
    ({"targets": np.full((6, 2, 1), np.inf)}, "targets", "not finite"), ({"targets": {}}, "targets", "non-numeric"),
    ({"mask": [1, 0]}, "mask", "(2,)"), ({"mask": [0] * 6}, "mask", "no step"), ({"mask": "no"}, "mask", "non-numeric"),
    ({"mask": [1, 1, 1, 1, 1, np.nan]}, "mask", "not finite"),
    ({"initial_state": {"l0.h": np.zeros((3, 2))}}, "initial_state.l0.h", "(3, 2)"),
    ({"initial_state": {"l1.h": np.zeros((2, 3))}}, "initial_state.l1.h", "given"),
    ({"initial_state": {"h": np.zeros((2, 3))}}, "initial_state.h", "given"),
    ({"initial_state": {"l0.c": [[np.inf] * 3] * 2}}, "initial_state.l0.c", "not finite"),
]


@pytest.mark.parametrize(("arrays", "field", "got"), BAD,
                         ids=[f"{n} {field}: {got}" for n, (_, field, got) in enumerate(BAD)])
def test_each_wrong_array_is_named(arrays: dict[str, object], field: str, got: str) -> None:
    (problem,) = refused(Given(**arrays))
    assert problem.field == field
    assert got in problem.value


def test_a_cell_state_is_not_for_a_gru() -> None:
    (problem,) = refused(Given(initial_state={"l0.c": np.zeros((2, 3))}), cell="gru")
    assert problem.field == "initial_state.l0.c"
    assert "l0.h" in problem.remedy


def test_a_huge_symbol_does_not_make_a_huge_network() -> None:
    (problem,) = refused(Given(inputs=np.full((6, 2), 2_000_000)), task="series")
    assert "100000" in problem.limit


def test_given_arrays_must_fit_the_config_not_the_other_way_round() -> None:
    config: Config = parse(CONFIG)
    (problem,) = refused(Given(inputs=np.zeros((7, 2))))
    assert str((config.steps, config.batch)) in problem.limit
