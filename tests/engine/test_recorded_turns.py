"""Rows that take turns, as those of an encoder and a decoder: a row takes part where it has a state."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from engine.recorded import Recorded, parse_expected, reach_of, recorded, sentences
from tests.engine.recorded_traces import meta

ENCODER, DECODER, T = 4, 3, 14  # steps of each, and two updates of both
ROWS = ("enc.l0.h", "dec.l0.h")
START = ENCODER + DECODER


def turns(through: bool, decoder_from: int = 2) -> Recorded:
    """Returns a recording in which the gradient goes on from the decoder into the encoder, or does not.

    `decoder_from` is the flag of the value that the decoder starts from: 2 for the encoder's, 0 for zeros."""
    steps = np.arange(T)
    there = np.array([steps % START < ENCODER, steps % START >= ENCODER])
    first = np.array([steps % START == 0, steps % START == ENCODER])
    losses = steps[there[1]]
    connected = np.zeros((2, len(losses), T), np.uint8)
    for r, s in enumerate(losses):
        start = s - s % START
        connected[0, r, start : start + ENCODER] = through
        connected[1, r, start + ENCODER : s + 1] = 1
    known = np.where(there & ~first, 1, 2).astype(np.uint8)
    value = known.copy()
    value[0, ::START], value[1, ENCODER::START] = 0, decoder_from
    state = np.where(there, 1.0, np.nan)
    found = {"loss": np.where(there[1], 1.0, np.nan), "losses": losses, "connected": connected, "state": state,
             "edge": known, "value": value}
    windows = np.flatnonzero(first.any(axis=0)).tolist()
    return recorded(json.dumps(meta(ROWS, windows)).encode(), found)


def outcome(trace: Recorded, expect: str | None = "full") -> tuple[Any, str]:
    found = reach_of(trace, None if expect is None else parse_expected(expect))
    assert found is not None
    return found, " ".join(sentences(trace, found))


def test_a_decoder_that_leads_into_its_encoder_is_full() -> None:
    found, said = outcome(turns(True))
    assert found.agrees is True
    assert found.expected.tolist() == [0] * DECODER + [START] * DECODER
    assert "full BPTT was declared, and it is what was found: each of the 6 losses" in said
    assert said.endswith(f"The state starts anew at step {START}: its value is not carried there.")


def test_a_gradient_that_does_not_go_on_into_the_encoder_is_told() -> None:
    found, said = outcome(turns(False))
    assert found.agrees is False
    assert found.differs.all()
    assert "No loss leads to enc.l0.h at all: the gradient does not go on from dec.l0.h into it." in said
    assert "style" not in said


def test_nothing_declared_is_full_and_no_state_stops_early() -> None:
    _, said = outcome(turns(True), None)
    assert "What was found is full BPTT. Every loss reaches back to where the state starts anew." in said
    assert "cut alike" not in said


def test_a_decoder_that_starts_from_zeros_is_no_new_beginning() -> None:
    """It may read the encoder's states by attention; only where the encoder begins again does everything."""
    found, _ = outcome(turns(True, decoder_from=0))
    assert found.agrees is True
    assert found.expected.tolist() == [0] * DECODER + [START] * DECODER
    assert outcome(turns(False, decoder_from=0))[0].agrees is False


def test_a_state_that_exploded_is_there() -> None:
    """Its norm is NaN, too; what tells it from a state that is not there is that its origin is known."""
    assert turns(True).there is not None
    steps = np.arange(6)
    below = (steps[None, :] <= steps[:, None])[None].astype(np.uint8)
    found = {"loss": np.ones(6), "losses": steps, "connected": below, "state": np.full((1, 6), np.nan),
             "edge": np.ones((1, 6), np.uint8), "value": np.ones((1, 6), np.uint8)}
    trace = recorded(json.dumps(meta(ROWS[:1])).encode(), found)
    assert trace.there is None
    assert outcome(trace)[0].agrees is True
