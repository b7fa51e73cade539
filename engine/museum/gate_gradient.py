"""An LSTM written by hand hands on the gradient of a gate's activation where that of its pre-activation is due."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.cells import LayerTape
from engine.compare import compare
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, flat, run, subject, sweep
from engine.phrases import number
from engine.published.result import Picture, series

BUG = Bug(
    "gate_gradient", "A gate's gradient without its sigmoid",
    "The backward pass multiplies by what the gate was multiplied with, and forgets the derivative of the sigmoid (or "
    "tanh) between the gate and its pre-activation.",
    "It trains, after a fashion, at small learning rates; the loss stalls, or the gradient explodes over long "
    "sequences. A gradient check fails at once.",
    "",
    "di = dc * g * i * (1 - i), df = dc * c_before * f * (1 - f), do = dh * tanh(c) * o * (1 - o), dg = dc * i * "
    "(1 - g**2); and check by finite differences.",
    "numpy",
    (Met("Questions on the LSTM backpropagation code", "https://github.com/CaptainE/RNN-LSTM-in-numpy/issues/1",
         "In a notebook, df = sigmoid(f) * df stands where the sigmoid's derivative is due; a reader asks."),
     Met("Update RNN_LSTM_from_scratch.ipynb", "https://github.com/CaptainE/RNN-LSTM-in-numpy/pull/2",
         "Somebody else sends the mended line, with derivative=True: there was a bug."),
     Met("Your LSTM implementation does not pass gradient check successfully",
         "https://github.com/nicklashansen/rnn_lstm_from_scratch/issues/1",
         "Another LSTM written by hand, held against numerical gradients."),
     Met("Moved derivative sigmoid and tanh into seperate functions", "https://github.com/nicodjimenez/lstm/pull/15",
         "Right code, hard to read: (1 - i) * i * di is the sigmoid's derivative, and now says so.")))
GAIN = 3.0


def compute() -> Exhibit:
    """Returns the wrong gradient beside the right one, of the same forward pass."""
    x = subject(gain=GAIN)
    tape, keep = run(x), edges(x, [])
    right, wrong = sweep(x, tape, keep), sweep(x, tape, keep, [forgetful(tape.layers[0])])
    c = compare(flat(wrong.blocks), flat(right.blocks))
    recurrent = compare(wrong.blocks["l0.W_hh"], right.blocks["l0.W_hh"])
    growth = [float((one.h[-1, 0] / one.h[-1, -1]) ** (1 / (T - 1))) for one in (wrong, right)]
    amounts = (
        Amount("relative error of the gradient of W_hh", recurrent.relative_error, 0.0, ""),
        Amount("angle of the whole gradient to the right one", c.angle, 0.0, "degrees"),
        Amount("norm of the whole gradient", c.norm_truncated, c.norm_full, ""),
        Amount("factor by which the last loss' |dL/dh| changes with each step back", growth[0], growth[1], ""))
    steps = np.arange(T)
    picture = Picture(f"Gradient of the loss at step {T - 1}", "state after step", "|dL/dh|", True, (
        series("without the gates' derivatives", steps, wrong.h[-1], "truncated"),
        series("right", steps, right.h[-1], "full")))
    maps = credit_maps(
        "|dL_s/dh_t|, norm per sample, mean over the batch", credit_map("without the gates' derivatives", wrong.h, [0]),
        credit_map("right", right.h, [0]),
        f"A sigmoid's derivative is at most 1/4. Left out, what should fade to {number(float(right.h[-1, 0]))} on its "
        f"way from step {T - 1} to step 0 arrives as {number(float(wrong.h[-1, 0]))}.")
    return Exhibit(
        BUG, f"An LSTM over {T} steps, recurrent weights {GAIN:g} times PyTorch's, swept backward twice: with its own "
        "derivatives, and with those of the broken program.", amounts, maps, picture,
        f"The error of the gradient of W_hh is {number(recurrent.relative_error)} times that gradient; the last loss' "
        f"own changes by a factor of {number(growth[0])} with each step back instead of {number(growth[1])}: it "
        "explodes where it should vanish.")


def forgetful(tape: LayerTape) -> Array:
    """Returns (T, F, B): the tape's elementwise derivatives with those of the gates themselves left out. What is left
    for i, f, g and o is what each was multiplied with: g, c before the step, i, and tanh(c)."""
    H = tape.act.shape[1] // 4
    i, g = tape.act[:, :H], tape.act[:, 2 * H : 3 * H]
    left = np.concatenate([g, tape.entering[:, H:], i, tape.extra], axis=1)
    return np.concatenate([left, tape.factors[:, 4 * H :]], axis=1)
