"""Padding steps are steps: they change the state, and the gradient has to come back through them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array, Ints, norm
from engine.backprop import backprop
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import run, subject
from engine.phrases import number, percent
from engine.published.result import Picture, series
from engine.truncation import full_plan
from engine.unroll import Tape

BUG = Bug(
    "padding", "Padding steps that change the state",
    "Shorter sequences are filled up with zeros, and the state after the last padded step is taken for the sequence's.",
    "No error. What the model says of a sequence depends on how long the others in its batch are; short sequences are "
    "learned worst.",
    "",
    "Pack the batch (pack_padded_sequence with the true lengths), or pick each row's state at its own last step; in "
    "Keras, mask.",
    "pytorch",
    (Met("[RLlib] [Bug] LSTM returns incorrect recurrent states", "https://github.com/ray-project/ray/issues/21392",
         "Sequences of 2 and 5 steps side by side: the state that was returned for the first had been fed three more "
         "zeros."),
     Met("What's the impact of not using packed_padded_sequence()?",
         "https://github.com/bentrevett/pytorch-sentiment-analysis/issues/86",
         "Would <pad> tokens matter at the end? Only if the network does not learn to ignore them, which it has to."),
     Met("Unexpected results from the bidirectional LSTM", "https://github.com/pytorch/pytorch/issues/3662",
         "Packed and padded outputs differed; read backward, the padding comes first.")))
LENGTHS: Ints = np.array([3, 6, 9, 12, 15, 18, 21, 24])
STEPS = 24


@dataclass(frozen=True)
class Read:
    """The padded batch, with the state read at the last padded step, or at each row's own last step."""

    gradient: Array  # (B, T) |dL/dh_t| of each row
    states: Array  # (B, H) h where it was read
    losses: Array  # (B,)


def compute() -> Exhibit:
    """Returns the states and gradients of the padded batch, read wrong and right."""
    tape = padded()
    wrong, right = read(tape, np.full(len(LENGTHS), STEPS)), read(tape, LENGTHS)
    own = LENGTHS - 1
    rows = np.arange(len(LENGTHS))
    off = norm(wrong.states - right.states, 1) / norm(right.states, 1)
    arrives = wrong.gradient[rows, own] / right.gradient[rows, own]
    amounts = (
        Amount("how far the shortest row's state is off, relatively", float(off[0]), 0.0, ""),
        Amount("|dL/dh| at the shortest row's last real step", float(wrong.gradient[0, own[0]]),
               float(right.gradient[0, own[0]]), ""),
        Amount("share of it that comes back through the padding", float(arrives[0]), 1.0, ""),
        Amount("steps between that row's last input and its loss", float(STEPS - LENGTHS[0]), 0.0, "steps"))
    picture = Picture("Gradient at each row's last real step", "length of the row", "|dL/dh|", True, (
        series("read after the padding", LENGTHS, wrong.gradient[rows, own], "truncated", points=True),
        series("read at its own last step", LENGTHS, right.gradient[rows, own], "full", points=True)))
    maps = credit_maps(
        "|dL/dh_t| of each row of the batch, one loss a row",
        credit_map("read after the padding", wrong.gradient, [0]),
        credit_map("read at its own last step", right.gradient, [0]),
        f"The row of {LENGTHS[0]} steps is read {STEPS - LENGTHS[0]} steps too late: {percent(float(arrives[0]))} of "
        "the gradient comes through the padding to its last real step.",
        ("row with length", "state after step"), LENGTHS)
    return Exhibit(
        BUG, f"An LSTM over a batch of {len(LENGTHS)} rows of {LENGTHS[0]} to {LENGTHS[-1]} steps, padded with zeros "
        f"to {STEPS}; one loss a row.", amounts, maps, picture,
        f"After {STEPS - LENGTHS[0]} padding steps the shortest row's state is {percent(float(off[0]))} off what it "
        f"was after its last input, and {number(float(wrong.gradient[0, own[0]]))} of gradient arrives there where "
        f"{number(float(right.gradient[0, own[0]]))} should.")


def padded() -> Tape:
    """Returns the run of the padded batch; each row has the same target at every step."""
    x = subject(batch=len(LENGTHS), steps=STEPS)
    real = np.arange(STEPS)[:, None] < LENGTHS
    targets = np.broadcast_to(x.data.targets[0], x.data.targets.shape)
    return run(replace(x, data=replace(x.data, xs=x.data.xs * real[:, None], targets=targets)))


def read(tape: Tape, lengths: Ints) -> Read:
    """Returns what comes of reading row b after so many steps."""
    x = subject(batch=len(LENGTHS), steps=STEPS)
    rows, at = np.arange(len(lengths)), lengths - 1
    dy = np.zeros_like(tape.dy)
    dy[at, :, rows] = tape.dy[at, :, rows]
    found = backprop(x.network, x.params, replace(tape, dy=dy), full_plan(STEPS))
    H = x.network.hidden
    return Read(norm(found.states[0][:, :H], 1).T, tape.layers[0].states[at, :H, rows], tape.losses[at, rows])
