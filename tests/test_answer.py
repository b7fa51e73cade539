"""docs/answer.md: every number on it is the results', and its sentences are what the results say."""

from __future__ import annotations

import json
import re
from hashlib import sha256

import pytest

from benchmarks.evidence_answer import NAMES, PAGE, PYTORCH, TOLERANCE, found_in, lab_of, load, path_of, written
from engine import Comparison

TEXT = PAGE.read_text(encoding="utf-8")
PROSE = re.sub(r"<!-- (?!end)[\w ]+ -->.*?<!-- end -->", "", TEXT, flags=re.DOTALL)


def comparisons(name: str, kind: str) -> dict[tuple[str, str], Comparison]:
    """Returns the comparisons of a kind by the two strategies' names."""
    found = found_in(load(name))
    names = [outcome.name for outcome in found.outcomes]
    return {(names[each.first], names[each.second]): each for each in found.comparisons if each.kind == kind}


def test_the_page_is_as_the_results_have_it() -> None:
    assert written(TEXT) == TEXT, "python -m benchmarks.evidence_answer writes it anew"


def test_the_prose_has_no_number_of_its_own_but_those_of_the_setup() -> None:
    lab = lab_of(load("windows"))
    assert set(re.findall(r"\d+\.\d+", PROSE)) == {f"{lab.rate:g}"}
    assert (lab.hidden, lab.embedding, lab.batch, lab.clip, lab.tokens) == (128, 64, 32, 5.0, 1_000_000)
    for said in ("LSTM layer of 128", "embedding of 64", "batches of 32", "clipped at 5", "1/sqrt(128)",
                 "a million characters", "last 10 %"):
        assert said in " ".join(PROSE.split())


@pytest.mark.parametrize("name", NAMES)
def test_every_lane_of_every_seed_is_there_and_was_trained_whole(name: str) -> None:
    results = load(name)
    lab = lab_of(results)
    assert lab.seeds >= 3
    assert [(lane["strategy"], lane["seed"]) for lane in results["lanes"]] == list(lab.lanes)
    assert all(lane["ended"] == "done" and lane["tokens"] == lane["moments"][-1]["tokens"] >= 999_000
               for lane in results["lanes"])
    assert results["characters"] == 1_115_394


@pytest.mark.parametrize("name", NAMES)
def test_the_results_are_of_the_text_that_they_name(name: str) -> None:
    """The text itself is not kept here; its length and digest are."""
    results = json.loads(path_of(name).read_text(encoding="utf-8"))
    assert results["sha256"] == "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
    assert len(results["sha256"]) == len(sha256(b"").hexdigest())


def test_it_tells_the_story_that_pytorch_told() -> None:
    results = load("windows")
    strategies, outcomes = lab_of(results).strategies, found_in(results).outcomes
    assert {(s.k, s.value) for s in strategies} == set(PYTORCH)
    for strategy, outcome in zip(strategies, outcomes, strict=True):
        assert abs(outcome.loss - PYTORCH[strategy.k, strategy.value]) <= TOLERANCE, outcome


def test_the_sentences_of_the_prose_hold() -> None:
    carry = comparisons("windows", "value")
    assert len(carry) == 3
    assert all(each.finding == "better" for each in carry.values()), "Carry it."
    by_k = [carry[f"window({k}), state reset", f"window({k}), state carried"].mean for k in (5, 20, 50)]
    assert by_k == sorted(by_k, reverse=True), "the shorter the window, the more it costs"


def test_it_opens_with_the_answer_to_what_people_ask() -> None:
    first, answer = TEXT.split("\n\n")[1:3]
    assert first == "*Does the framework not do BPTT by itself? Is the code that feeds `final_state` back needed?*"
    assert answer.startswith("**The framework does BPTT by itself inside one window, and yes, the code")


def test_with_equally_many_updates_longer_windows_help_only_where_the_state_is_reset() -> None:
    found = comparisons("updates", "window")
    carried = [each for (first, _), each in found.items() if first.endswith("carried")]
    reset = [each for (first, _), each in found.items() if first.endswith("reset")]
    assert len(carried) == len(reset) == 3
    assert all(each.finding in ("worse", "undecided") and abs(each.mean) < 0.015 for each in carried), "next to none"
    assert all(each.finding == "better" for each in reset)
    full = found["window(5), state carried", "full BPTT"]
    assert full.finding == "worse"
    assert -full.mean == pytest.approx(0.01, abs=0.005), "about a hundredth of a nat"


def test_a_network_that_was_trained_with_the_state_relies_on_it() -> None:
    """Taking the state away costs the carried one more than giving it to the other brings."""
    results = load("windows")
    for index in range(0, 6, 2):
        carried, reset = ([lane["moments"][-1] for lane in results["lanes"] if lane["strategy"] == i]
                          for i in (index, index + 1))
        for with_state, without in zip(carried, reset, strict=True):
            costs = with_state["loss_reset"] - with_state["loss_carry"]
            assert costs > without["loss_reset"] - without["loss_carry"]


def test_most_of_what_resetting_costs_is_paid_when_the_network_is_used() -> None:
    results = load("windows")
    for index in range(0, 6, 2):
        carried, reset = ([lane["moments"][-1] for lane in results["lanes"] if lane["strategy"] == i]
                          for i in (index, index + 1))
        for with_state, without in zip(carried, reset, strict=True):
            whole = without["loss_reset"] - with_state["loss_carry"]
            assert (without["loss_reset"] - without["loss_carry"]) > whole / 2 > 0


def test_windows_of_5_make_ten_times_as_many_updates_and_the_other_experiment_as_many_for_all() -> None:
    windows, updates = load("windows")["lanes"], load("updates")["lanes"]
    assert windows[0]["updates"] == pytest.approx(10 * windows[4]["updates"], rel=0.01)
    assert len({lane["updates"] for lane in updates}) == 1
