"""The series is shorter than the window: the loop over windows has no turn, and nothing says so."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.backprop import backprop
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import edges, run, subject, sweep
from engine.optim import adam, adam_start
from engine.phrases import number
from engine.published.result import Picture, series
from engine.truncation import full_plan
from engine.unroll import unroll

BUG = Bug(
    "short_series", "A series shorter than the window",
    "for i in range(len(series) // num_steps) drops what does not fill a window; a series shorter than one window is "
    "dropped whole.",
    "Every epoch ends at once; the loss is 0, nan or never printed, and the weights are those that were drawn. At "
    "best there is a ZeroDivisionError or an IndexError far from the cause.",
    "",
    "Let the last window be shorter (range(0, len(series), num_steps)), and refuse a series that is too short by name.",
    "pytorch",
    (Met("Small vocab errors?", "https://github.com/karpathy/char-rnn/issues/15",
         "char-rnn with a text that was too short for its batches: \"number of batches in train: 0\", and no output."),
     Met("create_batches() from utils.py throws error", "https://github.com/sherjilozair/char-rnn-tensorflow/issues/11",
         "IndexError: index 0 is out of bounds; the data held less than batch_size * seq_length characters."),
     Met("Better error message", "https://github.com/sherjilozair/char-rnn-tensorflow/pull/25",
         "The same project then says it in words: the data are too small for these settings."),
     Met("ZeroDivisionError: division by zero", "https://github.com/deepsound-project/samplernn-pytorch/issues/10",
         "An epoch with no batch: its mean loss was a division by zero.")))
LENGTH, K, EPOCHS = 15, 20, 60


def compute() -> Exhibit:
    """Returns both trainings on a series that is shorter than the window."""
    broken, mended = train(LENGTH // K), train(-(-LENGTH // K))
    x = subject(steps=LENGTH, task="series", batch=1)
    swept = sweep(x, run(x), edges(x, [])).h
    turns = [float(EPOCHS * (LENGTH // K)), float(EPOCHS * -(-LENGTH // K))]
    amounts = (
        Amount(f"updates in {EPOCHS} epochs", turns[0], turns[1], "updates"),
        Amount("loss after them", float(broken[-1]), float(mended[-1]), "squared error"),
        Amount(f"steps never read of a series of {3 * K - 1}", float((3 * K - 1) % K), 0.0, "steps"))
    epochs = np.arange(EPOCHS + 1)
    picture = Picture("Loss after each epoch", "epochs", "squared error", False, (
        series("whole windows only", epochs, broken, "truncated"), series("with a shorter window", epochs, mended,
                                                                         "full")))
    maps = credit_maps(
        "|dL_s/dh_t| that reaches the optimizer, norm per sample",
        credit_map("whole windows only", np.zeros_like(swept), [0]), credit_map("with a shorter window", swept, [0]),
        f"{LENGTH} // {K} is 0: no window, no loss, no gradient. The shorter window sends every loss back to step 0.")
    return Exhibit(
        BUG, f"A series of {LENGTH} values, num_steps = {K}, an LSTM of {x.network.hidden} units, Adam for {EPOCHS} "
        "epochs.", amounts, maps, picture,
        f"After {EPOCHS} epochs of {LENGTH // K} updates the loss is where it began, {number(float(broken[-1]))}; with "
        f"one shorter window an epoch it has come to {number(float(mended[-1]))}.")


def train(windows: int) -> Array:
    """Returns (EPOCHS + 1,): the mean loss of the series before the training and after each epoch of so many windows
    (0 or 1: the series is shorter than one)."""
    x = subject(steps=LENGTH, task="series", batch=1)
    params, memory, plan = x.params, adam_start(x.params), full_plan(LENGTH)
    losses = []
    for _ in range(EPOCHS + 1):
        tape = unroll(x.network, params, x.data, plan.reset)
        losses.append(float(tape.losses.mean()))
        for _ in range(windows):
            gradient = {name: block / LENGTH for name, block in backprop(x.network, params, tape, plan).blocks.items()}
            params, memory = adam(params, gradient, memory, 1e-2)
    return np.array(losses)
