"""The verdict's pairs, numbers and findings, on lanes that are made up so that the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import Strategy, Verdict, parse_lab, verdict
from engine.training.interval import WIDENING, interval, percentiles
from engine.training.pairs import pairs_of
from tests.engine.lanes import CARRY, RESET, ended, lab_of, lane


def test_the_differences_are_paired_by_seed_and_read_as_trained() -> None:
    lab = lab_of(CARRY, RESET)
    found = verdict(lab, ended(lab, {0: [1.7, 2.7, 3.7, 4.7, 5.7], 1: [2.0, 3.0, 4.0, 5.0, 6.0]}))
    (pair,) = found.comparisons
    assert (pair.kind, pair.first, pair.second, pair.seeds) == ("value", 1, 0, (0, 1, 2, 3, 4))
    assert pair.differences == pytest.approx([0.3] * 5)
    assert (pair.mean, pair.low, pair.high) == pytest.approx((0.3, 0.3, 0.3)), "what the seeds share cancels out"
    assert pair.finding == "better"
    assert found.outcomes[0].losses == (1.7, 2.7, 3.7, 4.7, 5.7)
    assert found.outcomes[1].loss == pytest.approx(4.0)
    assert (found.outcomes[0].accuracy, found.outcomes[1].accuracy) == (0.5, 0.25)
    assert (found.outcomes[0].seconds, found.outcomes[0].peak_bytes) == (10.0, 1000)


@pytest.mark.parametrize(("differences", "finding"), [
    ([0.30, 0.28, 0.29, 0.31, 0.30], "better"), ([-0.30, -0.28, -0.29, -0.31, -0.30], "worse"),
    ([0.3, -0.2, 0.1, -0.1, 0.05], "undecided"), ([0.2], "single"), ([0.0, 0.0, 0.0], "undecided"),
    ([0.01, 0.02, 0.03], "undecided"), ([0.02, 0.021, 0.022], "better")])
def test_an_interval_that_holds_zero_tells_no_difference(differences: list[float], finding: str) -> None:
    lab = lab_of(CARRY, RESET, seeds=len(differences))
    lanes = ended(lab, {0: [2.0] * len(differences), 1: [2.0 + d for d in differences]})
    assert verdict(lab, lanes).comparisons[0].finding == finding


def test_every_pair_that_differs_in_one_thing_is_compared_once() -> None:
    lab = lab_of(*({"k": k, "value": value} for k in (5, 20, 50) for value in ("carry", "reset")),
                 {"k": 20, "order": "shuffled"}, {"k": 20, "frozen": True})
    named = [(p.kind, lab.strategies[p.first].name, lab.strategies[p.second].name) for p in pairs_of(lab)]
    assert named[:3] == [("value", f"window({k}), state reset", f"window({k}), state carried") for k in (5, 20, 50)]
    assert ("order", "window(20), state carried", "window(20), state carried, windows shuffled") in named
    assert ("frozen", "window(20), state carried, W_hh frozen", "window(20), state carried") in named
    for value in ("carried", "reset"):
        of_windows = [(first, second) for kind, first, second in named if kind == "window" and value in first]
        assert of_windows == [(f"window({a}), state {value}", f"window({b}), state {value}")
                              for a, b in ((5, 20), (20, 50), (5, 50))]
    assert len({frozenset(name[1:]) for name in named}) == len(named)
    assert {name[1] for name in named if name[0] == "first"} == {"window(5), state carried"}


def test_full_bptt_is_the_longest_window_of_the_carried_and_of_the_reset_ones() -> None:
    lab = lab_of({"style": "full"}, CARRY, RESET, steps=50)
    assert [(p.kind, p.first, p.second) for p in pairs_of(lab)] == [
        ("value", 2, 1), ("window", 1, 0), ("window", 2, 0)]


def test_a_lane_that_diverged_is_left_out_of_its_pairs_and_said() -> None:
    lab = lab_of(CARRY, RESET, seeds=3)
    lanes = ended(lab, {0: [1.0, 1.1, 1.2], 1: [1.5, 1.6, 1.7]})
    lanes[4] = lane(1, 1, (4.0, 4.0), ended="diverged")
    found = verdict(lab, lanes)
    assert found.comparisons[0].seeds == (0, 2)
    assert found.outcomes[1].diverged == (1,)
    assert any("window(5), state reset diverged for seed 1" in note for note in found.notes)


def test_a_loss_that_is_no_number_at_the_end_is_divergence_too() -> None:
    lab = lab_of(CARRY, RESET, seeds=2)
    found = verdict(lab, ended(lab, {0: [1.0, math.inf], 1: [1.5, 1.6]}))
    assert found.outcomes[0].diverged == (1,)
    assert found.comparisons[0].seeds == (0,)


def test_lanes_that_reached_the_end_count_and_the_others_are_named() -> None:
    lab = lab_of(CARRY, RESET, seeds=3)
    lanes = ended(lab, {0: [1.0, 1.1, 1.2], 1: [1.5, 1.6, 1.7]})
    lanes[2] = lane(0, 2, (4.0, 4.0), ended="stopped")
    found = verdict(lab, lanes)
    assert found.comparisons[0].seeds == (0, 1)
    assert found.outcomes[0].unfinished == (2,)
    assert "window(5), state carried has not reached the end for seed 2; those seeds do not count." in found.notes


def test_a_run_that_was_stopped_is_read_where_the_lanes_of_a_seed_still_stood_side_by_side() -> None:
    lab = lab_of(CARRY, RESET, seeds=2)
    lanes = [lane(0, 0, (4, 4), (3.0, 9), (2.0, 9), (1.0, 9), ended="stopped"),
             lane(1, 0, (4, 4), (9, 3.5), (9, 2.5), ended="stopped"), lane(0, 1, (4, 4), ended="stopped")]
    found = verdict(lab, lanes)
    assert found.comparisons[0].differences == (0.5,)
    assert found.notes[0] == "No lane has reached the end. The verdict is read after 2,000 of 100,000 tokens."


def test_a_run_without_an_evaluation_says_so() -> None:
    lab = lab_of(CARRY, RESET)
    just_begun = [lane(0, 0, (4, 4), ended="stopped"), lane(1, 0, (4, 4), ended="")]
    ahead = [lane(0, 0, (4, 4), (3, 3), (2, 2), ended="")]
    for lanes in ([], just_begun, ahead, [*ahead, lane(1, 0, ended="")]):
        found = verdict(lab, lanes)
        assert found.comparisons[0].finding == "none"
        assert found.headline == (
            "window(5), state reset and window(5), state carried cannot be compared yet: there is no seed for which "
            "both have been evaluated after training.")
        assert found.notes[0] == "There has been no evaluation after training yet."


def test_fewer_than_two_numbers_have_no_interval() -> None:
    assert all(math.isnan(x) for x in (*interval([]), *interval([0.3])))


def test_the_interval_is_the_same_each_time_and_moves_and_grows_with_the_numbers() -> None:
    low, high = interval([0.1, 0.2, 0.6])
    assert interval([0.1, 0.2, 0.6]) == (low, high)
    assert interval([1.1, 1.2, 1.6]) == pytest.approx((low + 1, high + 1))
    assert interval([0.2, 0.4, 1.2]) == pytest.approx((2 * low, 2 * high))
    assert interval([-0.1, -0.2, -0.6]) == pytest.approx((-high, -low), abs=0.02)


def coverage(numbers: np.ndarray, factor: float) -> float:
    """The share of the samples (n, samples), of mean 0, whose percentile interval with longer arms holds 0."""
    low, high = percentiles(numbers)
    mean = numbers.mean(axis=0)
    return float(((mean - factor * (mean - low) <= 0) & (mean + factor * (high - mean) >= 0)).mean())


@pytest.mark.parametrize("n", [2, 3, 4, 5, 10])
def test_95_percent_of_the_intervals_hold_the_mean_of_normal_numbers(n: int) -> None:
    numbers = np.random.default_rng(n).standard_normal((n, 1000))
    assert coverage(numbers, WIDENING[n]) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("n", [3, 5])
def test_other_distributions_are_not_far_from_it(n: int) -> None:
    rng = np.random.default_rng(n)
    assert 0.91 < coverage(rng.uniform(-1, 1, (n, 1000)), WIDENING[n]) < 0.96
    assert 0.94 < coverage(rng.laplace(size=(n, 1000)), WIDENING[n]) < 0.985
    assert 0.85 < coverage(rng.exponential(size=(n, 1000)) - 1, WIDENING[n]) < 0.93, "skewed: less than it says"


@pytest.mark.parametrize("n", [3, 5])
def test_the_plain_percentile_interval_would_be_caught(n: int) -> None:
    """The usual rule, without the longer arms, misses far more often than it says."""
    assert coverage(np.random.default_rng(n).standard_normal((n, 1000)), 1.0) < 0.87


def test_two_strategies_that_are_the_same_are_told_apart_one_time_in_twenty() -> None:
    """The whole way, from lanes to findings, with no difference but chance."""
    lab, rng = lab_of(CARRY, RESET, seeds=5), np.random.default_rng(7)
    drawn = 2 + 0.1 * rng.standard_normal((300, 2, 5))
    found = [verdict(lab, ended(lab, {0: list(a), 1: list(b)})) for a, b in drawn]
    told = sum(each.comparisons[0].finding != "undecided" for each in found)
    assert 4 <= told <= 28, "15 are expected; a rule that looks at the mean alone tells all 300"


def test_a_verdict_is_a_value() -> None:
    lab = parse_lab({"strategies": [CARRY], "seeds": 1})
    found = verdict(lab, ended(lab, {0: [1.5]}))
    assert isinstance(found, Verdict)
    assert found.comparisons == ()
    assert found.headline == ("On this text, window(5), state carried comes to a loss of 1.500 nats per character; "
                              "there is nothing beside it.")
    assert lab.strategies == (Strategy(k=5),)
