"""The reach test's sentences, word for word, for programs that are right and programs that are wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.recorded import parse_expected, reach_of, recorded, sentences
from tests.engine.recorded_traces import GRU2, LSTM, RNN, arrays, every, made, meta

T = 60
CARRIED = "The state's value is carried from window to window."
WINDOW20 = {"style": "window", "k": 20}


def says(found: Any, expect: str = "") -> list[str]:
    declared = parse_expected(expect) if expect else None
    return list(sentences(found, reach_of(found, declared)))


def agrees(trace: Any, expect: str = "") -> bool | None:
    found = reach_of(trace, parse_expected(expect) if expect else None)
    assert found is not None
    return found.agrees


def both(k: int, T: int = T, cell: dict[str, Any] = LSTM) -> dict[str, list[int]]:
    return {row: every(k, T) for row in cell}


def test_the_right_window() -> None:
    found = made(LSTM, both(20), T, [0, 20, 40], WINDOW20)
    assert agrees(found) is True
    assert says(found) == [
        "The loss at step 59 reaches step 40 and no further.",
        "window(20) was declared, and it is what was found: each of the 60 losses reaches exactly as far as it should.",
        CARRIED,
    ]


@pytest.mark.parametrize("edge", [True, False])
def test_a_leak_through_c(edge: bool) -> None:
    """Told by the edges, and without them by the states at windows' ends that no later loss leads to."""
    found = made(LSTM, {"lstm.l0.h": every(10, T)}, T, every(10, T, 0), {"style": "window", "k": 10}, edge=edge)
    assert agrees(found) is False
    assert says(found) == [
        "The loss at step 59 reaches all the way back to step 0.",
        "window(10) was declared: it should reach step 50 and no further. 50 of 60 losses differ.",
        "You cut every 10 steps. h is cut, c is not: the gradient leaks through c across windows.",
        CARRIED,
    ]


def test_a_leak_through_h() -> None:
    found = made(LSTM, {"lstm.l0.c": every(10, T)}, T, every(10, T, 0), {"style": "window", "k": 10})
    assert says(found)[2] == "You cut every 10 steps. c is cut, h is not: the gradient leaks through h across windows."
    assert agrees(found) is False


def test_a_leak_through_h_that_no_edge_tells() -> None:
    found = made(LSTM, {"lstm.l0.c": every(10, T)}, T, every(10, T, 0), {"style": "window", "k": 10}, edge=False)
    assert says(found)[2] == ("Nothing is cut: c or h, or more than one of them, is not detached between windows, so "
                              "every loss reaches all earlier windows, and memory and time grow with each one.")


@pytest.mark.parametrize(("leaking", "cut"), [("l0.h", "l1.h"), ("l1.h", "l0.h")])
def test_a_two_layer_gru_with_a_leak_through_one_state(leaking: str, cut: str) -> None:
    found = made(GRU2, {f"gru.{cut}": every(20, T)}, T, [0, 20, 40], WINDOW20)
    assert says(found)[2] == (f"You cut every 20 steps. {cut} is cut, {leaking} is not: the gradient leaks through "
                              f"{leaking} across windows.")


def test_windows_of_unequal_length_name_where_they_are_cut() -> None:
    found = made(LSTM, {"lstm.l0.h": [7, 19]}, 30, [0, 7, 19], {"style": "window", "k": 12})
    assert says(found)[2] == ("You cut at steps 7 and 19. h is cut, c is not: the gradient leaks through c across "
                              "windows.")


def test_never_cut() -> None:
    found = made(LSTM, {}, T, [0, 20, 40], WINDOW20)
    assert says(found) == [
        "The loss at step 59 reaches all the way back to step 0.",
        "window(20) was declared: it should reach step 40 and no further. 40 of 60 losses differ.",
        "Nothing is cut: c and h are not detached between windows, so every loss reaches all earlier windows, and "
        "memory and time grow with each one.",
        CARRIED,
    ]


def test_cut_at_every_step() -> None:
    found = made(LSTM, both(1), T, [0, 20, 40], WINDOW20)
    assert says(found) == [
        "The loss at step 59 reaches its own step and no further.",
        "window(20) was declared: it should reach step 40 and no further. 57 of 60 losses differ.",
        "The gradient is cut at every step: no loss leads back to an earlier step, so nothing is learned through time.",
        CARRIED,
    ]


def test_one_state_is_cut_at_every_step() -> None:
    cuts = {"lstm.l0.h": every(1, T), "lstm.l0.c": every(20, T)}
    found = made(LSTM, cuts, T, [0, 20, 40], WINDOW20)
    assert agrees(found) is False
    assert says(found)[2] == "Not all states are cut alike: h is cut at every step, c stops at step 40."


def test_a_window_that_is_one_step_off() -> None:
    found = made(LSTM, both(21), T, [0, 21, 42], WINDOW20)
    assert says(found) == [
        "The loss at step 20 reaches all the way back to step 0.",
        "window(20) was declared: it should reach its own step and no further. 40 of 60 losses differ.",
        "What was found is window(21): the gradient is cut every 21 steps, one step more than was declared. Look for a "
        "count that starts or ends one step off.",
        CARRIED,
    ]
    short = made(LSTM, both(19), T, every(19, T, 0), WINDOW20)
    assert "one step less than was declared" in says(short)[2]


def test_sections_where_windows_were_meant() -> None:
    """tensor_split(5) of 103 steps: five sections of 20 or 21 steps, not sections of five."""
    starts = [0, *np.cumsum([len(part) for part in np.array_split(np.arange(103), 5)])[:-1].tolist()]
    found = made(RNN, {"rnn.l0.h": starts[1:]}, 103, starts, {"style": "window", "k": 5})
    assert says(found)[2] == ("5 made 5 sections of 20 or 21 steps, not sections of 5 steps: tensor_split(n) and "
                              "array_split(n) make n sections, PyTorch's split(n) makes sections of n.")
    right = made(RNN, {"rnn.l0.h": every(5, 103)}, 103, every(5, 103, 0), {"style": "window", "k": 5})
    assert agrees(right) is True


def test_as_many_windows_as_k_that_are_no_sections() -> None:
    found = made(RNN, {"rnn.l0.h": [13, 40]}, T, [0, 13, 40], {"style": "window", "k": 3})
    assert says(found)[2] == "Each loss stops at the start of its own forward pass: 3 sections of 13 to 27 steps."


def test_windows_that_are_sequences_of_their_own() -> None:
    reset = {row: [30] for row in LSTM}
    found = made(LSTM, {}, T, [0, 30], WINDOW20, reset=reset)
    assert says(found)[2:] == ["Every loss reaches back to where the state starts anew.",
                               "The state starts anew at step 30: its value is not carried there."]


@pytest.mark.parametrize(("k", "said"), [(10, "every 10 steps, not every 20."), (30, "every 30 steps, not every 20.")])
def test_another_k(k: int, said: str) -> None:
    found = made(LSTM, both(k), T, every(k, T, 0), WINDOW20)
    assert says(found)[2] == f"What was found is window({k}): the gradient is cut {said}"


def test_the_value_is_reset_where_it_was_to_be_carried() -> None:
    reset = {row: [20, 40] for row in LSTM}
    found = made(LSTM, {}, T, [0, 20, 40], {**WINDOW20, "value": "carry"}, reset=reset)
    assert agrees(found) is False
    assert says(found)[1:] == [
        "window(20) was declared, and it is what was found: each of the 60 losses reaches exactly as far as it should.",
        "The value was to be carried, but the state starts anew at steps 20 and 40.",
    ]
    assert agrees(found, "window:20,reset") is True
    assert agrees(found, "window:20") is True
    assert says(found, "window:20")[-1] == "The state starts anew at steps 20 and 40: its value is not carried there."


def test_a_new_sequence_in_the_middle() -> None:
    cuts = {row: [20, 40] for row in LSTM}
    found = made(LSTM, cuts, T, [0, 10, 20, 30, 40, 50], WINDOW20, reset={row: [20, 40] for row in LSTM})
    assert says(found)[-1] == ("The state's value is carried into steps 10, 30 and 50; it starts anew at steps 20 and "
                               "40.")


def test_the_value_is_carried_where_it_was_to_start_anew() -> None:
    found = made(LSTM, both(20), T, [0, 20, 40], {**WINDOW20, "value": "reset"})
    assert agrees(found) is False
    assert says(found)[-1] == ("The state was to start anew at each window, but its value is carried into steps 20 "
                               "and 40.")


def test_one_state_is_reset_and_the_other_is_not() -> None:
    found = made(LSTM, both(20), T, [0, 20, 40], {**WINDOW20, "value": "carry"}, reset={"lstm.l0.h": [20]})
    assert agrees(found) is False
    assert says(found)[-1] == "At step 20 h starts anew, c does not."


def test_vanished_but_connected() -> None:
    found = made(LSTM, {}, T, [0], {"style": "full"}, credit=lambda lag: 0.5 * 10.0 ** (-0.2 * lag))
    assert agrees(found) is True
    assert says(found) == [
        "The loss at step 59 reaches all the way back to step 0.",
        "full BPTT was declared, and it is what was found: each of the 60 losses reaches exactly as far as it should.",
        "Connected is not felt: what arrives at step 0 is 1.6e-12 of what there is at step 59. The gradient has "
        "vanished there; it is not cut.",
    ]
    zero = made(LSTM, {}, T, [0], {"style": "full"}, credit=lambda lag: float(lag < 30))
    assert says(zero)[2] == ("Connected is not felt: what arrives at step 0 is exactly 0. The gradient has vanished "
                             "there; it is not cut.")


def test_a_loss_that_leads_nowhere() -> None:
    found = made(RNN, {}, 4, [0], {"style": "full"}, losses=[3])
    cut = found.reached
    assert cut is not None
    cut.first[:] = -1
    assert says(found) == [
        "The loss at step 3 reaches no state at all: it was computed from outputs that lead nowhere.",
        "full BPTT was declared: it should reach all the way back to step 0. The one loss that was asked about "
        "differs.",
    ]


@pytest.mark.parametrize(("cuts", "windows", "said"), [
    ({}, [0, 20, 40], ["Nothing was declared. What was found is full BPTT.",
                       "Nothing is cut: every loss reaches all earlier steps."]),
    ({"rnn.l0.h": [20, 40]}, [0, 20, 40], ["Nothing was declared. What was found is window(20).",
                                           "The gradient is cut every 20 steps."]),
    ({"rnn.l0.h": [13, 40]}, [0, 13, 40], ["Nothing was declared.", "Each loss stops at the start of its own forward "
                                           "pass: 3 sections of 13 to 27 steps."]),
    ({"rnn.l0.h": [13, 40]}, [0], ["Nothing was declared.", "No style that is known here explains where the losses "
                                   "stop: every state is cut before steps 13 and 40."]),
], ids=["full", "window", "irregular", "nothing"])  # fmt: skip
def test_nothing_was_declared(cuts: Any, windows: list[int], said: list[str]) -> None:
    found = made(RNN, cuts, T, windows, value=False)
    assert agrees(found) is None
    assert says(found)[1:] == said


def test_a_staircase_that_nothing_explains() -> None:
    found = made(RNN, {"rnn.l0.h": [13, 40]}, T, [0], WINDOW20, edge=False)
    assert says(found)[2] == "No style that is known here explains where the losses stop: see the staircase."


def test_only_gradients_were_recorded() -> None:
    asked = arrays(RNN, both(20, cell=RNN), T, credit=lambda lag: 0.9**lag, value=False)
    del asked["connected"]
    found = recorded(json.dumps(meta(RNN, [0, 20, 40], WINDOW20)).encode(), asked)
    assert agrees(found) is True
    assert says(found)[-1] == ("The trace has no record of the graph, only of gradients: one that is exactly 0 cannot "
                               "be told from one that is cut.")


def test_a_state_that_no_loss_leads_to() -> None:
    apart = {"b.h": (("b.h",), ()), "a.h": (("a.h",), ())}
    found = made(apart, {row: every(20, T) for row in apart}, T, [0, 20, 40], WINDOW20)
    assert agrees(found) is True
    assert says(found)[2] == "No loss leads to b.h at all."


def test_gradients_that_were_not_recorded_say_nothing() -> None:
    asked = {"loss": np.ones(4), "losses": np.arange(4), "credit": np.full((1, 4, 4), np.nan)}
    found = recorded(json.dumps(meta(RNN)).encode(), asked)
    assert reach_of(found) is None


def test_nothing_was_asked() -> None:
    found = recorded(json.dumps(meta(RNN)).encode(), {"loss": np.ones(4)})
    assert reach_of(found) is None
    assert says(found) == ["This trace does not say which losses lead to which states: it has neither connected nor "
                           "credit, so its reach cannot be tested."]
