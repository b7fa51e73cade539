"""A lab is parsed whole or refused with everything that is wrong; and it survives being written down."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    LAB_OPTIONS,
    OPTION,
    STRATEGY_OPTIONS,
    InputError,
    Lab,
    Option,
    Problem,
    Strategy,
    canonical_lab,
    lab_as_dict,
    parse_lab,
    validate_lab,
)
from engine.training.presets import LAB_PRESETS, LabPreset

RESET = {"style": "window", "k": 20, "value": "reset"}


def refused(**options: object) -> list[tuple[str, str]]:
    """The (field, limit) of every problem that the options have."""
    with pytest.raises(InputError) as caught:
        parse_lab(options)
    assert all(p.remedy for p in caught.value.problems)
    return [(p.field, p.limit) for p in caught.value.problems]


def test_nothing_given_is_carry_beside_reset() -> None:
    lab = parse_lab({})
    assert lab == Lab()
    assert [s.name for s in lab.strategies] == ["window(20), state carried", "window(20), state reset"]


def test_where_the_sequence_is_finite_full_bptt_stands_first() -> None:
    assert [s.name for s in parse_lab({"steps": 50}).strategies] == [
        "full BPTT", "window(20), state carried", "window(20), state reset"]
    assert parse_lab({"steps": 50, "strategies": [RESET]}).strategies == (Strategy(value="reset"),)


@pytest.mark.parametrize("preset", LAB_PRESETS, ids=lambda preset: preset.name)
def test_a_preset_survives_json(preset: LabPreset) -> None:
    assert parse_lab(json.loads(json.dumps(lab_as_dict(preset.lab)))) == preset.lab
    assert validate_lab(preset.lab) == preset.lab, "a preset is canonical"


def test_presets_have_names_of_their_own_and_the_first_is_the_question() -> None:
    assert len({preset.name for preset in LAB_PRESETS}) == len(LAB_PRESETS) >= 6
    assert {s.value for s in LAB_PRESETS[0].lab.strategies} == {"carry", "reset"}
    assert LAB_PRESETS[0].lab.strategies[0].k == 5


def test_options_that_a_config_has_too_keep_its_limits() -> None:
    shared = [o for o in (*LAB_OPTIONS, *STRATEGY_OPTIONS) if o.name in OPTION and o.name not in ("steps", "dtype")]
    assert len(shared) > 15
    for option in shared:
        config = OPTION[option.name]
        assert (option.kind, option.low, option.high, option.choices) == (
            config.kind, config.low, config.high, config.choices), option.name


@pytest.mark.parametrize("option", [*LAB_OPTIONS, *STRATEGY_OPTIONS], ids=lambda option: option.name)
def test_every_default_is_within_its_limits(option: Option) -> None:
    assert option.help.endswith(".")
    if option.kind in ("int", "float"):
        assert option.low is not None
        assert option.high is not None
        assert option.low <= option.default <= option.high


def test_every_problem_is_named_at_once_with_the_name_that_was_meant() -> None:
    with pytest.raises(InputError) as caught:
        parse_lab({"hiden": 3, "cell": "lsmt", "batch": 0.5, "strategies": [{"k": 0}, {"kk": 3}]})
    shown = {p.field: f"{p.limit} {p.remedy}" for p in caught.value.problems}
    assert "Did you mean hidden?" in shown["hiden"]
    assert "whole number" in shown["batch"]
    assert "Did you mean k?" in shown["strategies[1].kk"]
    assert refused(cell="lsmt", strategies=[{"k": 0}]) == [
        ("cell", "not a known cell"), ("strategies[0].k", "must be from 1 to 1000000")]


@pytest.mark.parametrize(("options", "field", "part"), [
    ({"strategies": [{"style": "full"}]}, "strategies[0].style", "needs a finite sequence"),
    ({"task": "copy"}, "steps", "has finite sequences"),
    ({"task": "copy", "steps": 40}, "lag", "must be less than steps = 40"),
    ({"steps": 1}, "steps", "must be 0 or at least 2"),
    ({"update": "sequence"}, "update", "has no sequence that ends"),
    ({"strategies": [RESET, RESET]}, "strategies", "more than once"),
    ({"strategies": [{"style": "full", "k": 5}, {"style": "full"}], "steps": 9}, "strategies", "more than once"),
    ({"strategies": []}, "strategies", "a list of 1 to 8"),
    ({"strategies": [{"k": k} for k in range(1, 10)]}, "strategies", "a list of 1 to 8"),
    ({"strategies": "full"}, "strategies", "a list of 1 to 8"),
    ({"strategies": ["full"]}, "strategies[0].style", "must be an object"),
    ({"strategies": [{"style": "k1k2", "k1": 20, "k2": 10}]}, "strategies[0].k2", "at least k1 = 20"),
    ({"strategies": [{"style": "random", "p": 0}]}, "strategies[0].p", "never cuts"),
    ({"strategies": [{"order": "shuffled"}], "steps": 40, "update": "sequence"}, "strategies[0].order",
     "belong to no sequence"),
    ({"tokens": 100, "batch": 16}, "tokens", "batch times the longest window, 320"),
    ({"rate": 0}, "rate", "must be from 1e-08"),
    ({"rate": "1_0"}, "rate", "must be a number"),
    ({"rate": "٣"}, "rate", "must be a number"),
    ({"seeds": 11}, "seeds", "must be from 1 to 10"),
    ({"text": "\ud800" * 1000}, "text", "lone surrogates"),
])
def test_what_cannot_be_run_is_refused_where_it_was_given(options: dict[str, object], field: str, part: str) -> None:
    (problem,) = refused(**options)
    assert problem[0] == field
    assert part in problem[1]


def test_what_does_not_apply_is_set_back_so_that_equal_runs_are_equal_labs() -> None:
    lab = parse_lab({"task": "series", "vocabulary": "word", "words": 77, "text": "abc", "lag": 3, "embedding": 8,
                     "clip_by": "off", "clip": 1, "decay": 3, "cell": "gru", "forget_bias": 9,
                     "strategies": [{"style": "random", "k": 3, "p": 0.1, "order": "shuffled"}]})
    assert lab == replace(Lab(), task="series", cell="gru", clip_by="off", strategies=(Strategy("random", p=0.1),))
    assert canonical_lab(lab) == lab
    full = parse_lab({"steps": 9, "strategies": [{"style": "full", "value": "reset"}]})
    assert full.strategies == (Strategy("full"),)


def test_lanes_go_seed_by_seed() -> None:
    lab = parse_lab({"seeds": 2, "seed": 7})
    assert lab.lanes == ((0, 7), (1, 7), (0, 8), (1, 8))
    assert list(lab.all_seeds) == [7, 8]


STRATEGIES = st.builds(
    Strategy, style=st.sampled_from(["full", "window", "sliding", "k1k2", "random"]), k=st.integers(1, 30),
    k1=st.integers(1, 5), k2=st.integers(5, 30), p=st.floats(0.01, 0.95), value=st.sampled_from(["carry", "reset"]),
    order=st.sampled_from(["stream", "shuffled"]), frozen=st.booleans())


@given(st.lists(STRATEGIES, min_size=1, max_size=8, unique_by=lambda s: canonical_lab(Lab(strategies=(s,))).strategies))
def test_strategies_that_differ_have_names_that_differ_and_survive_json(strategies: list[Strategy]) -> None:
    lab = validate_lab(Lab(steps=30, strategies=tuple(strategies)))
    assert len({s.name for s in lab.strategies}) == len(strategies)
    assert parse_lab(json.loads(json.dumps(lab_as_dict(lab)))) == lab
    assert hash(parse_lab(lab_as_dict(lab))) == hash(lab)


JUNK = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3))


@given(st.dictionaries(st.sampled_from([*(o.name for o in LAB_OPTIONS), "strategies", "x"]), JUNK, max_size=4))
def test_whatever_is_sent_is_a_lab_or_a_named_problem(junk: dict[str, object]) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        lab = parse_lab(junk)
    except InputError as error:
        problems = error.problems
    else:
        assert parse_lab(lab_as_dict(lab)) == lab
    assert all(p.field and p.limit and p.remedy and len(p.value) <= 200 for p in problems)
