"""What an analysis will cost: said before it runs, near the truth, and bounded."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from engine import Config, InputError, analyze, check_affordable, estimate, parse
from engine.cost import CREDIT_ROWS, MOST_BYTES, overlap, symbols
from engine.experiment import prepare
from engine.reference import reference
from engine.tasks.text import default_text
from engine.truncation import plan_of
from tests.engine.setups import CELL_OPTIONS, STYLE_OPTIONS

BASE = Config(steps=60, batch=4, hidden=24)


@pytest.mark.parametrize("cell", CELL_OPTIONS)
@pytest.mark.parametrize("size", ["steps", "batch", "hidden", "layers"])
def test_more_costs_more(cell: str, size: str) -> None:
    small = replace(BASE, **CELL_OPTIONS[cell])
    one, more = estimate(small), estimate(replace(small, **{size: 3 * getattr(small, size)}))
    assert more.bytes > one.bytes
    assert more.operations > one.operations
    assert more.seconds > one.seconds


def test_credit_and_the_certificate_have_their_price() -> None:
    assert estimate(BASE, ("credit",)).operations > estimate(BASE, ()).operations
    assert estimate(BASE, certify=True).operations > estimate(BASE, certify=False).operations


def test_the_outputs_of_a_large_batch_have_their_price() -> None:
    """They took 0.4 s at H = 1, where the rest was estimated at 0.05 s."""
    wide = estimate(Config(steps=300, batch=256, hidden=1), (), False).seconds
    narrow = estimate(Config(steps=300, batch=256, hidden=1, task="series"), (), False).seconds
    assert 0.2 < wide - narrow < 0.8


@pytest.mark.parametrize("style", STYLE_OPTIONS)
def test_overlap_is_the_plans_number_of_tracks(style: str) -> None:
    for value in ({}, {"k": 30, "k1": 2, "k2": 40}, {"k": 100, "k1": 50, "k2": 90}, {"gradient": "pass"}):
        config = parse({"steps": 24, **STYLE_OPTIONS[style], **value})
        assert overlap(config) == plan_of(config).tracks


@pytest.mark.parametrize("task", ["text", "copy", "adding", "lagged_bits", "series"])
def test_symbols_are_the_networks_inputs(task: str) -> None:
    config = parse({"task": task, "steps": 20, "lag": 3})
    assert symbols(config) == prepare(config).network.inputs
    own = parse({"text": "abcabcabc", "steps": 5})
    assert symbols(own) == prepare(own).network.inputs == 3


MEASURED = [
    {"steps": 300, "batch": 8, "hidden": 64, "task": "series"},
    {"steps": 200, "batch": 16, "hidden": 96, "task": "series", "cell": "gru"},
    {"steps": 500, "batch": 8, "hidden": 64, "task": "series", "cell": "rnn", "layers": 3},
    {"steps": 400, "batch": 4, "hidden": 64, "text": default_text()},
    {"steps": 100, "batch": 8, "hidden": 128, "task": "copy", "layers": 2, "lag": 40},
]


@pytest.mark.parametrize("options", MEASURED, ids=lambda options: options.get("cell", options.get("task", "text")))
@pytest.mark.parametrize("certify", [True, False], ids=["certified", "bare"])
def test_the_bytes_are_near_the_truth(options: dict[str, object], certify: bool) -> None:
    config = parse(options)
    analyze(parse({"steps": 5}), certify=False)  # what is loaded once does not count
    tracemalloc.start()
    analyze(config, certify=certify)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / 2.5 <= estimate(config, certify=certify).bytes <= 3 * peak


@pytest.mark.parametrize("options", [{"steps": 10_000, "batch": 256, "hidden": 1024}, {"steps": 10_000, "hidden": 512},
                                     {"steps": 5_000, "style": "sliding", "k": 4_000, "hidden": 64}])
def test_too_much_is_refused_before_it_starts(options: dict[str, object]) -> None:
    config = parse({"task": "series", **options})
    for call in (lambda: check_affordable(config), lambda: analyze(config)):
        with pytest.raises(InputError) as error:
            call()
        (problem,) = error.value.problems
        for letter, size in (("T", config.steps), ("B", config.batch), ("H", config.hidden)):
            assert f"{letter} = {size}" in problem.value
        assert "the limit is" in problem.limit
        assert "times smaller" in problem.remedy


def test_what_is_affordable_returns_its_estimate() -> None:
    found = check_affordable(BASE)
    assert found == estimate(BASE)
    assert found.bytes < MOST_BYTES


def test_the_credit_matrix_is_bounded() -> None:
    short, long = (estimate(replace(BASE, steps=T), ("credit",)).bytes - estimate(replace(BASE, steps=T), ()).bytes
                   for T in (CREDIT_ROWS, 10 * CREDIT_ROWS))
    assert long < 12 * short


def test_many_columns_are_not_held_against_each_other_at_all_steps_at_once() -> None:
    """One product of columns by columns at each of 60 steps takes 30 MiB, and a gradient has ten."""
    config = parse({"cell": "rnn", "task": "series", "hidden": 1, "batch": 256, "steps": 60})
    tracemalloc.start()
    kept = reference(config)
    analyze(config, include=frozenset(), certify=False, kept=kept)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2 * estimate(config, (), False).bytes
    assert most < 40 * 2**20
