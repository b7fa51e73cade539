"""Small random problems with the answers of live libraries, as tests/peers/pin.py wrote them."""

from __future__ import annotations

import pytest

from engine.weights import CONVENTIONS
from tests.engine.peer_answers import PINNED, blocks_of, errors, load, run, wrong
from tests.engine.setups import relative

TOLERANCE = 1e-12
MISREAD = 0.01
ANSWERS = [load(path) for path in sorted(PINNED.glob("*.json"))]
IDS = [answer.name for answer in ANSWERS]
FORWARD_ONLY = {"onnx"}


def test_every_cell_of_every_framework_is_pinned() -> None:
    pinned = {(answer.convention, (answer.cell, answer.reset_after)) for answer in ANSWERS}
    known = {(name, key) for name, convention in CONVENTIONS.items() for key in convention.forms if name != "native"}
    assert pinned == known


def test_every_pinned_answer_says_which_version_gave_it() -> None:
    assert all(answer.version[0].isdigit() for answer in ANSWERS)
    assert {answer.convention for answer in ANSWERS if answer.gradients is None} == FORWARD_ONLY


@pytest.mark.parametrize("answer", ANSWERS, ids=IDS)
def test_outputs_loss_and_gradients_agree_both_ways(answer) -> None:
    found = errors(answer)
    worst = max(found, key=lambda name: found[name])
    assert found[worst] < TOLERANCE, worst


@pytest.mark.parametrize("answer", ANSWERS, ids=IDS)
def test_no_other_order_of_the_gates_agrees(answer) -> None:
    found = dict(wrong(answer))
    assert len(found) == {"lstm": 24, "gru": 6, "rnn": 1}[answer.cell]
    assert min(found.values()) > MISREAD, min(found, key=lambda name: found[name])


@pytest.mark.parametrize("answer", [a for a in ANSWERS if CONVENTIONS[a.convention].forget_bias and a.cell == "lstm"],
                         ids=lambda answer: answer.name)
def test_the_forget_bias_added_when_run_is_needed(answer) -> None:
    blocks = blocks_of(answer)
    H = answer.outputs.shape[2]
    without = {**blocks, "l0.b": blocks["l0.b"].copy()}
    without["l0.b"][H : 2 * H] -= CONVENTIONS[answer.convention].forget_bias
    assert relative(run(answer, without).outputs, answer.outputs) > MISREAD


def test_haikus_update_gate_is_flipped() -> None:
    answer = next(a for a in ANSWERS if a.convention == "haiku" and a.cell == "gru")
    blocks, H = blocks_of(answer), answer.outputs.shape[2]
    unflipped = {name: block.copy() for name, block in blocks.items()}
    for name in ("l0.W_ih", "l0.W_hh", "l0.b"):
        unflipped[name][H : 2 * H] *= -1
    assert relative(run(answer, unflipped).outputs, answer.outputs) > MISREAD


@pytest.mark.parametrize("answer", [a for a in ANSWERS if a.cell == "gru" and a.reset_after], ids=lambda a: a.name)
def test_the_bias_inside_the_reset_product_is_no_part_of_the_sum(answer) -> None:
    blocks, H = blocks_of(answer), answer.outputs.shape[2]
    summed = {**blocks, "l0.b": blocks["l0.b"].copy(), "l0.b_hn": 0 * blocks["l0.b_hn"]}
    summed["l0.b"][2 * H :] += blocks["l0.b_hn"]
    assert relative(run(answer, summed).outputs, answer.outputs) > MISREAD
