"""The config: canonical form, queries that read back, and errors that name field, value, limit, remedy."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import OPTION, OPTIONS, Config, InputError, Option, analyze, as_query, canonical, parse, validate
from engine.config import format_value
from engine.errors import Problem, shorten

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


def values(option: Option) -> st.SearchStrategy:
    """Returns any value that the option allows."""
    if option.kind == "choice":
        return st.sampled_from(list(option.choices))
    if option.kind == "bool":
        return st.booleans()
    if option.kind == "int":
        return st.integers(int(option.low), int(option.high))
    if option.kind == "float":
        return st.floats(option.low, option.high)
    return TEXTS if option.kind == "text" else st.lists(NUMBERS, max_size=8).map(tuple)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Any valid config, the options that do not apply included."""
    config = Config(**{option.name: draw(values(option)) for option in OPTIONS})
    return replace(config, lag=min(config.lag, config.steps - 1), k2=max(config.k1, config.k2))


@given(configs())
def test_a_query_reads_back_as_the_canonical_config(config: Config) -> None:
    query = as_query(config)
    assert parse(query) == validate(config) == canonical(config)
    assert all(isinstance(value, str) for value in query.values())
    assert list(query) == [option.name for option in OPTIONS if option.name in query]
    assert as_query(parse(query)) == query


@given(configs())
def test_the_canonical_form_is_its_own(config: Config) -> None:
    found = canonical(config)
    assert canonical(found) == found
    assert hash(canonical(config)) == hash(found)
    for option in OPTIONS:
        if not option.applies(config):
            assert getattr(found, option.name) == option.default
            assert option.name not in as_query(config)


@given(configs())
def test_typed_values_read_like_strings(config: Config) -> None:
    typed = {name: list(value) if isinstance(value := getattr(config, name), tuple) else value
             for name in as_query(config)}
    assert parse(typed) == parse(as_query(config))


def test_options_that_do_not_apply_do_not_change_the_numbers() -> None:
    a = {"cell": "rnn", "style": "full", "task": "adding", "steps": 12, "hidden": 4}
    idle = {"forget_bias": 3, "k": 3, "lag": 5, "embedding": 4, "text": "abc", "value": "reset", "reset_after": False}
    assert parse(a | idle) == parse(a)
    assert np.array_equal(analyze(parse(a)).full.h, analyze(Config(**a, **idle)).full.h)


def test_a_base_is_changed_only_where_it_is_asked() -> None:
    base = parse({"cell": "gru", "steps": 30})
    assert parse({"hidden": "7"}, base) == replace(base, hidden=7)
    assert parse({}) == validate(Config()) == canonical(Config())


def test_the_table_is_whole() -> None:
    assert [o.name for o in OPTIONS] == [f.name for f in fields(Config)] == list(OPTION)
    for option in OPTIONS:
        assert option.help.endswith(".")
        assert option.when is None or OPTION[option.when[0]].choices.keys() >= set(option.when[1])
        if option.kind in ("int", "float"):
            assert option.low <= option.default <= option.high


NUMERIC = [o for o in OPTIONS if o.kind in ("int", "float")]
NOT_NUMBERS = ["", "x", "nan", "inf", "-Infinity", "1e999", "1_0", "１２", "0x10", None, True, [], {}, "9" * 50,
               float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("raw", NOT_NUMBERS, ids=lambda raw: f"{type(raw).__name__} {shorten(raw, 14)}")
@pytest.mark.parametrize("option", NUMERIC, ids=lambda option: option.name)
def test_what_is_not_a_number_is_refused(option: Option, raw: object) -> None:
    problem = refused({option.name: raw})
    assert problem.field == option.name
    assert "number" in problem.limit
    assert f"from {option.low:.12g} to {option.high:.12g}" in problem.remedy


@pytest.mark.parametrize("option", NUMERIC, ids=lambda option: option.name)
def test_numbers_out_of_range_are_refused_with_the_range(option: Option) -> None:
    for raw in (option.low - 1, option.high + 1, str(option.high + 1), -1e300, 1e300):
        problem = refused({option.name: raw})
        assert problem.field == option.name
        assert problem.limit == f"must be from {option.low:.12g} to {option.high:.12g}"
    whole = {option.name: option.low}, {option.name: option.high}
    for edge in whole:
        found = parse({"steps": 100_000, "task": "copy", "k2": 1_000_000, "style": "k1k2", "cell": "lstm", **edge}
                      | ({"k1": 1} if option.name == "k2" else {}) | ({"lag": 1} if option.name == "steps" else {}))
        assert found is not None


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.kind == "int"], ids=lambda option: option.name)
def test_halves_are_no_whole_numbers(option: Option) -> None:
    assert refused({option.name: 2.5}).limit == refused({option.name: "2.5"}).limit == "must be a whole number"


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.kind == "choice"], ids=lambda option: option.name)
def test_unknown_choices_name_the_nearest_or_all(option: Option) -> None:
    good = list(option.choices)[-1]
    assert f"Did you mean {good}?" in refused({option.name: good + "x"}).remedy
    assert all(choice in refused({option.name: "%%%%"}).remedy for choice in option.choices)
    assert refused({option.name: 3}).limit == "must be a string"


def test_unknown_names_name_the_nearest() -> None:
    problem = refused({"hiden": 3})
    assert (problem.field, problem.limit) == ("hiden", "unknown name")
    assert problem.remedy == "Did you mean hidden?"
    assert "steps" in refused({"%%%%": 3}).remedy


@pytest.mark.parametrize("raw", ["yes", "1", 1, None, "True"], ids=repr)
def test_booleans_are_true_or_false(raw: object) -> None:
    assert refused({"reset_after": raw}).limit == "must be true or false"


@pytest.mark.parametrize("raw", ["1,x", "1,,2", "1,nan", [1, None], [True], 5, {"a": 1}, [[1]], "1,1e999"], ids=repr)
def test_a_series_is_finite_numbers(raw: object) -> None:
    assert refused({"task": "series", "series": raw}).field == "series"


def test_series_and_texts_have_a_longest() -> None:
    assert "100000" in refused({"series": [1.0] * 100_001}).limit
    assert "5000000" in refused({"text": "x" * 5_000_001}).limit
    assert parse({"task": "series", "series": " 1, 2\n3e-4 "}).series == (1.0, 2.0, 3e-4)
    assert parse({"task": "series", "series": "1,2\n"}).series == (1.0, 2.0)  # a file of one line ends with its end
    assert parse({"task": "series", "series": "  "}).series == ()


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_is_readable(text: str) -> None:
    assert "readable" in refused({"text": text}).limit


def test_options_that_must_fit_each_other() -> None:
    lag = refused({"task": "copy", "steps": 10, "lag": 10})
    assert (lag.field, lag.value) == ("lag", "10")
    assert "steps = 10" in lag.limit
    assert "at most 9" in lag.remedy
    k2 = refused({"style": "k1k2", "k1": 5, "k2": 4})
    assert (k2.field, k2.value) == ("k2", "4")
    assert "k1 = 5" in k2.limit
    assert parse({"task": "copy", "steps": 10, "lag": 9}).lag == 9


def test_every_problem_is_told_at_once_and_nothing_long_is_echoed() -> None:
    with pytest.raises(InputError) as error:
        parse({"hidden": 0, "cell": "lstn" * 10_000, "nonsense": 1, "steps": "x" * 10**6})
    assert {"nonsense", "steps"} <= {problem.field for problem in error.value.problems}
    assert len(str(error.value)) < 2_000
    with pytest.raises(InputError) as error:
        validate(Config(hidden=0, layers=9, gain=float("nan"), cell="x"))
    assert [problem.field for problem in error.value.problems] == ["cell", "hidden", "layers", "gain"]


@pytest.mark.parametrize(("value", "text"), [
    (True, "true"), (False, "false"), (1.0, "1"), (0.1, "0.1"), (-2.5e-7, "-2.5e-07"), (1e300, "1e+300"), (3, "3"),
    ((1.0, 2.5), "1.0,2.5"), ("a b", "a b")])
def test_format_value(value: object, text: str) -> None:
    assert format_value(value) == text


def test_shorten() -> None:
    assert shorten("abc") == "'abc'"
    assert len(shorten("x" * 10**6)) == 60
    assert shorten("x" * 100).endswith("...")
    assert "\n" not in shorten("a\nb\x1b[31m")


def refused(mapping: dict[str, object]) -> Problem:
    """Returns the one problem of a mapping, all of whose parts say something."""
    with pytest.raises(InputError) as error:
        parse(mapping)
    (problem,) = error.value.problems
    assert problem.field
    assert problem.value or problem.value == ""
    assert problem.limit
    assert problem.remedy
    assert str(problem) in str(error.value)
    return problem
