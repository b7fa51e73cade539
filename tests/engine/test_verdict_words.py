"""The verdict's sentences, word for word."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine import Lab, Verdict, parse_lab, verdict
from tests.engine.lanes import CARRY, RESET, ended, lane

SPREAD = [-0.004, 0.0, 0.004]


def found_of(lab: Lab, *losses: list[float]) -> Verdict:
    return verdict(lab, ended(lab, dict(enumerate(losses))))


def pair(first: dict[str, object], second: dict[str, object], change: float, spread: list[float] | None = None,
         **options: object) -> str:
    """The headline for two strategies of which the second's loss is higher by `change`, give or take."""
    spread = SPREAD if spread is None else spread
    lab = parse_lab({"strategies": [first, second], "seeds": len(spread), **options})
    return found_of(lab, [2.0] * len(spread), [2.0 + change + x for x in spread]).headline


def test_what_carrying_the_state_is_worth() -> None:
    assert pair(CARRY, RESET, 0.29) == (
        "On this text, with num_steps 5, carrying the state lowers the loss by 0.29 nats per character "
        "(95 %: 0.28 to 0.30).")
    assert pair(RESET, CARRY, 0.29) == (
        "On this text, with num_steps 5, carrying the state raises the loss by 0.29 nats per character "
        "(95 %: 0.28 to 0.30).")


def test_a_difference_that_cannot_be_told() -> None:
    assert pair(CARRY, RESET, 0.01, [-0.03, 0.0, 0.03]) == (
        "On this text, with num_steps 5, carrying the state makes no difference that can be told from 3 seeds: the "
        "change of the loss is -0.01 nats per character (95 %: -0.09 to +0.07).")


def test_one_seed() -> None:
    lab = parse_lab({"strategies": [CARRY, RESET], "seeds": 1})
    found = found_of(lab, [1.744], [2.031])
    assert found.headline == (
        "On this text, with num_steps 5, carrying the state lowered the loss by 0.29 nats per character with the one "
        "seed there is; another seed may say otherwise.")
    assert found.notes[0] == (
        "There is one seed to compare: no interval can be given, and chance cannot be told from a difference.")


@pytest.mark.parametrize(("first", "second", "options", "sentence"), [
    ({"k": 5}, {"k": 50}, {}, "On this text, with the state carried, num_steps 50 instead of 5 raises the loss by"),
    ({"k": 5, "value": "reset"}, {"k": 50, "value": "reset"}, {},
     "On this text, with the state reset, num_steps 50 instead of 5 raises the loss by"),
    ({"k": 5}, {"style": "full"}, {"steps": 50},
     "On this text, full BPTT instead of window(5), state carried raises the loss by"),
    ({}, {"order": "shuffled"}, {},
     "On this text, with num_steps 20 and the state carried, shuffling the windows raises the loss by"),
    ({"frozen": True}, {}, {}, "On this text, with num_steps 20 and the state carried, learning W_hh instead of "
     "keeping it as it was drawn raises the loss by"),
    ({}, {"style": "sliding", "k": 10}, {},
     "On this text, sliding(10), state carried, instead of window(20), state carried, raises the loss by"),
    ({"style": "k1k2", "value": "reset"}, {"style": "k1k2"}, {},
     "On this text, with k1k2(10, 20), carrying the state raises the loss by"),
    ({"k": 5}, {"k": 50}, {"task": "copy", "lag": 10, "steps": 60},
     "On the copy task with a lag of 10, with the state carried, num_steps 50 instead of 5 raises the loss by"),
])
def test_each_kind_of_pair(first: dict[str, object], second: dict[str, object], options: dict[str, object],
                           sentence: str) -> None:
    assert pair(first, second, 0.1, **options).startswith(sentence)


@pytest.mark.parametrize(("options", "unit"), [
    ({}, "nats per character"), ({"vocabulary": "word"}, "nats per word"),
    ({"task": "lagged_bits", "steps": 60}, "nats per bit"), ({"task": "series"}, "in half the squared error"),
    ({"task": "adding", "steps": 60}, "in half the squared error")])
def test_each_task_has_its_unit(options: dict[str, object], unit: str) -> None:
    assert f"the loss by 0.10 {unit} (95 %:" in pair(CARRY, RESET, 0.1, **options)


def test_a_small_difference_keeps_the_digits_that_tell_it() -> None:
    assert "lowers the loss by 0.00050 nats per character (95 %: 0.00049 to 0.00051)" in pair(
        CARRY, RESET, 0.0005, [-0.000005, 0.0, 0.000005])


def test_an_end_near_zero_says_on_which_side_of_it_it_stands() -> None:
    assert "lowers the loss by 0.012 nats per character (95 %: 0.002 to 0.022)." in pair(
        CARRY, RESET, 0.012, [-0.0037, 0.0, 0.0037])
    assert "the change of the loss is -0.0095 nats per character (95 %: -0.0197 to +0.0007)." in pair(
        CARRY, RESET, 0.0095, [-0.0038, 0.0, 0.0038])


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_what_is_written_holds_zero_only_where_the_interval_does(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    lab = parse_lab({"strategies": [CARRY, RESET], "seeds": seeds})
    for size in 10.0 ** rng.uniform(-12, 1, 100):
        losses = 2.0 + size * rng.normal(rng.uniform(-2, 2), rng.uniform(0, 1), seeds)
        [found] = found_of(lab, [2.0] * seeds, losses.tolist()).comparisons
        [ends] = re.findall(r"95 %: (\S+) to ([^)]+)", found.text)
        low, high = map(float, ends)
        assert low <= high
        assert (low <= 0 <= high) == (found.finding == "undecided"), found.text
        assert 0 not in (low, high), found.text


def test_strategies_that_diverged() -> None:
    lab = parse_lab({"strategies": [CARRY, RESET], "seeds": 2})
    lanes = [*ended(lab, {0: [1.0, 1.1]}), lane(1, 0, ended="diverged"), lane(1, 1, ended="diverged")]
    found = verdict(lab, lanes)
    assert found.headline == ("window(5), state reset and window(5), state carried cannot be compared: "
                              "window(5), state reset diverged for seeds 0 and 1.")
    assert found.notes[0] == (
        "window(5), state reset diverged for seeds 0 and 1: the loss became too large to be a number. Those seeds do "
        "not count; a smaller learning rate or clipping may help.")


def test_a_learning_rate_that_was_changed_on_the_way() -> None:
    lab = parse_lab({"strategies": [CARRY, RESET], "seeds": 2})
    found = verdict(lab, ended(lab, {0: [1.0, 1.1], 1: [1.2, 1.3]}), rates=[(40_000, 0.001), (80_000, 0.0005)])
    assert ("The learning rate was changed while the run went on, in every lane alike: 0.001 from 40,000 tokens on, "
            "0.0005 from 80,000 tokens on.") in found.notes


def test_the_notes_say_how_the_interval_was_made_and_what_so_many_seeds_can_say() -> None:
    lab = parse_lab({"strategies": [{"k": k, "value": v} for k in (5, 20) for v in ("carry", "reset")], "seeds": 2})
    notes = found_of(lab, [1.0, 1.1], [1.3, 1.4], [0.9, 1.0], [1.0, 1.1]).notes
    assert any("bootstrap over 2 seeds' paired differences, 10,000 resamples" in note for note in notes)
    assert any(note.startswith("Two seeds can tell a difference only where") for note in notes)
    assert any(note.startswith("There are 5 intervals; of 20") for note in notes)
    assert any("a shorter window makes more updates" in note for note in notes)
