"""zero_grad() stands in the loop over windows, step() after it: all windows but the last are thrown away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Bools
from engine.compare import compare
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, flat, run, subject, sweep, windows
from engine.phrases import degrees, percent
from engine.unroll import Tape

BUG = Bug(
    "zero_in_window", "Gradients zeroed in the window loop, without a step",
    "Each window's backward pass is followed by the next one's zero_grad(); the optimizer steps once, after the loop.",
    "No error. Training is slow and sees only the ends of the sequences; all the other windows are computed for "
    "nothing.",
    "",
    "Either step in every window, or zero before the loop and step after it. zero_grad() and step() belong in the same "
    "loop.",
    "pytorch",
    (Met("Zero gradients within truncated BPTT", "https://github.com/OpenNMT/OpenNMT-py/issues/891",
         "A reader of OpenNMT found the gradients set to zero inside the loop over truncated windows, with the update "
         "outside; the maintainer: there is a bug, from a refactoring, the parameters must be updated there too."),
     Met("train.py: zero_grad is called per microbatch, breaking gradient accumulation",
         "https://github.com/bytetriper/RAE/issues/67",
         "The same without recurrence: cleared for every microbatch, so that nothing was accumulated."),
     Met("Documentation Example of Truncated BPTT is not working",
         "https://github.com/Lightning-AI/pytorch-lightning/issues/20517",
         "A documented example of truncated BPTT with step() and zero_grad() in an order that made no sense.")),
    curve=False)
K = 6


def compute() -> Exhibit:
    """Returns the gradient of the last window alone beside that of all windows."""
    x = subject()
    tape, starts = run(x), windows(K)
    found = sweep(x, tape, edges(x, starts))
    last = np.arange(T) >= starts[-1]
    only = subject_without(tape, last)
    lone = sweep(x, only, edges(x, starts))
    c = compare(flat(lone.blocks), flat(found.blocks))
    amounts = (
        Amount("windows in the gradient that the optimizer uses", 1.0, float(len(starts)), "windows"),
        Amount("share of that gradient", c.kept, 1.0, ""),
        Amount("angle to the gradient of all windows", c.angle, 0.0, "degrees"),
        Amount("relative error", c.relative_error, 0.0, ""))
    maps = credit_maps(
        "|dL_s/dh_t| that is in the gradient when the optimizer steps",
        credit_map("zeroed in the window loop", lone.h, starts), credit_map("zeroed once, before the loop", found.h,
                                                                           starts),
        f"Of {len(starts)} windows only the last is left: the losses before step {starts[-1]} train nothing.")
    return Exhibit(
        BUG, f"An LSTM over {T} steps in windows of {K}, gradients cut at each; the gradient at the moment of the one "
        "step, with all windows in it and with the last alone.", amounts, maps, None,
        f"What is left is {percent(c.kept)} of the gradient, turned by {degrees(c.angle)}: "
        f"{len(starts) - 1} of {len(starts)} windows were computed for nothing.")


def subject_without(tape: Tape, counts: Bools) -> Tape:
    """Returns the tape with no loss but those of the marked steps."""
    return replace(tape, dy=np.where(counts[:, None, None], tape.dy, 0.0))
