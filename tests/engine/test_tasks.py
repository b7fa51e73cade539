"""Tasks: shapes, ranges, what depends on what at which lag, seeds, and data that are too short."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Config, InputError, parse
from engine.experiment import prepare
from engine.tasks import TASKS
from engine.tasks.base import row_starts
from engine.tasks.text import default_text


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.sampled_from(list(TASKS)), st.integers(2, 60), st.integers(1, 9), st.integers(0, 99))
def test_shapes_ranges_and_seeds(task: str, T: int, B: int, seed: int) -> None:
    config = parse({"task": task, "steps": T, "batch": B, "lag": T // 2})
    one, two = TASKS[task](rng(seed), config), TASKS[task](rng(seed), config)
    assert np.array_equal(one.inputs, two.inputs)
    assert np.array_equal(one.targets, two.targets)
    for values, symbols in ((one.inputs, one.vocabulary), (one.targets, one.classes)):
        assert values.shape[:2] == (T, B)
        assert values.ndim == (2 if symbols else 3)
        assert np.isfinite(values).all()
        if symbols:
            assert values.dtype.kind == "i"
            assert values.min() >= 0
            assert values.max() < len(symbols)
    assert one.mask.shape == (T,)
    assert one.mask.any()
    assert one.source


@pytest.mark.parametrize("lag", [1, 7, 19])
def test_copy_recalls_what_was_read_lag_steps_before(lag: int) -> None:
    batch = TASKS["copy"](rng(), Config(task="copy", steps=20, batch=5, lag=lag))
    for t in range(20):
        assert batch.mask[t] == (t >= lag)
        if t >= lag:
            assert np.array_equal(batch.targets[t], batch.inputs[t - lag])


@pytest.mark.parametrize("T", [2, 3, 50])
def test_adding_marks_one_number_in_each_half(T: int) -> None:
    batch = TASKS["adding"](rng(), Config(task="adding", steps=T, batch=200))
    values, marks = batch.inputs[..., 0], batch.inputs[..., 1]
    assert set(marks.ravel()) <= {0.0, 1.0}
    assert (marks[: T // 2].sum(axis=0) == 1).all()
    assert (marks[T // 2 :].sum(axis=0) == 1).all()
    assert np.allclose(batch.targets[-1, :, 0], (values * marks).sum(axis=0), rtol=1e-15)
    assert batch.mask.tolist() == [False] * (T - 1) + [True]
    assert values.min() >= 0
    assert values.max() < 1


def test_lagged_bits_have_the_stated_conditional_probabilities() -> None:
    """p(y = 1) = 0.5 + 0.5 x[t-3] - 0.25 x[t-8]: each of the four cases to five standard errors."""
    batch = TASKS["lagged_bits"](rng(), Config(task="lagged_bits", steps=2_000, batch=100))
    x, y = batch.inputs, batch.targets
    assert abs(x.mean() - 0.5) < 0.01
    for near in (0, 1):
        for far in (0, 1):
            here = y[8:][(x[5:-3] == near) & (x[:-8] == far)]
            p = 0.5 + 0.5 * near - 0.25 * far
            assert abs(here.mean() - p) <= 5 * np.sqrt(p * (1 - p) / len(here))
    early = y[:3]
    assert abs(early.mean() - 0.5) < 5 * 0.5 / np.sqrt(early.size), "before the start x is 0"


def test_lagged_bits_depend_on_no_other_lag() -> None:
    batch = TASKS["lagged_bits"](rng(1), Config(task="lagged_bits", steps=2_000, batch=100))
    x, y = batch.inputs - 0.5, batch.targets - 0.5
    for lag in range(12):
        covariance = float((x[: 2_000 - lag] * y[lag:]).mean())
        truth = {3: 0.5 * 0.25, 8: -0.25 * 0.25}.get(lag, 0.0)
        assert covariance == pytest.approx(truth, abs=5 * 0.25 / np.sqrt(190_000))


TEXT = "the quick brown fox jumps over the lazy dog, and then some more of it"


@given(st.integers(2, len(TEXT) - 1), st.integers(1, 12))
def test_a_texts_rows_are_contiguous_pieces(T: int, B: int) -> None:
    batch = TASKS["text"](rng(), Config(text=TEXT, steps=T, batch=B))
    assert batch.vocabulary == batch.classes == tuple(sorted(set(TEXT)))
    for b in range(B):
        read, next_one = ("".join(batch.vocabulary[i] for i in row[:, b]) for row in (batch.inputs, batch.targets))
        assert read + next_one[-1] in TEXT
        assert read[1:] == next_one[:-1]
    first = "".join(batch.vocabulary[i] for i in batch.inputs[:, 0])
    assert TEXT.startswith(first)
    assert batch.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


def test_rows_start_at_even_distances() -> None:
    assert row_starts(101, 10, 4).tolist() == [0, 30, 60, 90]
    assert row_starts(11, 10, 3).tolist() == [0, 0, 0]
    assert row_starts(100, 10, 1).tolist() == [0]


@pytest.mark.parametrize("text", ["a", "ab", "x" * 20])
def test_a_text_that_is_too_short_says_how_long_it_must_be(text: str) -> None:
    with pytest.raises(InputError) as error:
        prepare(Config(text=text, steps=20))
    (problem,) = error.value.problems
    assert problem.field == "text"
    assert problem.value == f"'{len(text)} characters'"
    assert "21" in problem.limit
    assert str(len(text) - 1) in problem.remedy


@pytest.mark.parametrize("text", ["a" * 21, "añ漢😀" * 6, "\x01\x02\x7f" * 8, "\n\t  \r" * 6])
def test_any_text_that_is_long_enough_will_do(text: str) -> None:
    x = prepare(Config(text=text, steps=20, batch=2, hidden=3))
    assert len(x.batch.vocabulary) == len(set(text))


def test_the_default_text_is_english_prose_of_some_length() -> None:
    text = default_text()
    assert len(text) > 10_001, "long enough for the most steps there are"
    assert " the " in text
    assert "  " not in text
    assert "\n" not in text


def test_a_series_is_standardised_and_predicts_its_next_value() -> None:
    values = tuple(float(v) for v in rng().normal(100, 7, size=60))
    batch = TASKS["series"](rng(), Config(task="series", series=values, steps=20, batch=3))
    standard = (np.array(values) - np.mean(values)) / np.std(values)
    for b, start in enumerate(row_starts(60, 20, 3)):
        assert np.allclose(batch.inputs[:, b, 0], standard[start : start + 20], rtol=1e-13)
        assert np.allclose(batch.targets[:, b, 0], standard[start + 1 : start + 21], rtol=1e-13)
    assert batch.source.startswith("your series, 60 values")


def test_a_constant_series_is_zero_and_not_nan() -> None:
    batch = TASKS["series"](rng(), Config(task="series", series=(5.0,) * 30, steps=20, batch=2))
    assert (batch.inputs == 0).all()


@pytest.mark.parametrize(("series", "field"), [((1.0, 2.0), "2 numbers"), ((1e308, -1e308) * 20, "spread")])
def test_a_series_that_cannot_be_used_says_why(series: tuple[float, ...], field: str) -> None:
    with pytest.raises(InputError) as error:
        prepare(Config(task="series", series=series, steps=20))
    (problem,) = error.value.problems
    assert problem.field == "series"
    assert field in problem.value
    assert problem.remedy


@pytest.mark.parametrize("task", list(TASKS))
def test_the_last_loss_is_the_tasks_last(task: str) -> None:
    every, last = (prepare(parse({"task": task, "steps": 20, "lag": 5, "hidden": 3, "loss_at": at})).data.counts
                   for at in ("every", "last"))
    assert np.flatnonzero(last).tolist() == [int(np.flatnonzero(every)[-1])]


def test_symbols_are_read_by_their_numbers_and_stand_for_one_hot_columns() -> None:
    x = prepare(Config(text=TEXT, steps=20, batch=2))
    assert np.array_equal(x.data.xs, x.batch.inputs)
    hot = x.data.dense(x.network.inputs).xs
    assert hot.shape == (20, x.network.inputs, 2)
    assert (hot.sum(axis=1) == 1).all()
    assert np.array_equal(hot.argmax(axis=1), x.batch.inputs)
    values = prepare(Config(task="series", steps=20, batch=2)).data
    assert values.dense(1).xs is values.xs
