"""num_steps taken for depth: as many layers as there should be steps, and one step at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Bools, norm
from engine.backprop import backprop
from engine.config import Config
from engine.experiment import Experiment
from engine.initial import draw
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, run, subject, sweep, windows
from engine.phrases import number
from engine.published.result import Picture, series
from engine.truncation import full_plan

BUG = Bug(
    "num_steps_depth", "num_steps taken for depth",
    "num_steps is how many time steps are unrolled, with the same weights at each; here it became the number of "
    "layers, each with weights of its own (or the number of units).",
    "A model many times too large that trains badly, and remembers nothing of the step before. No error.",
    "",
    "One layer (or two), and windows of num_steps steps: the input has the shape (num_steps, batch, features).",
    "pytorch",
    (Met("return [tf.nn.rnn_cell.BasicLSTMCell(steps, ...) for steps in layers]",
         "https://github.com/polyaxon/haupt/issues/3",
         "The time steps were passed as the number of units; the reader: both are independent parameters."),
     Met("Timesteps vs Units", "https://github.com/polyaxon/haupt/issues/6",
         "The same code, found by somebody else: TIMESTEPS set both the truncation and the size of the LSTM."),
     Met("train process set num_steps to 30, why test process set num_step to 1?",
         "https://github.com/rockingdingo/deepnlp/issues/56",
         "If num_steps were part of the model, it could not differ between training and use; it is only how many steps "
         "are unrolled at once."),
     Met("timesteps in LSTM", "https://github.com/keras-team/keras/issues/4208",
         "Which parameter decides how far back truncated BPTT goes? The length of the input's time axis.")))
K = 8


def stacked(layers: int) -> Experiment:
    """Returns the museum's network with so many layers, and the same data."""
    x = subject()
    network = replace(x.network, layers=layers)
    params = draw(network, Config(hidden=network.hidden), np.random.default_rng(3))
    return replace(x, network=network, params=params, data=replace(x.data, initial=x.data.initial * layers))


def compute() -> Exhibit:
    """Returns a stack of K layers at one step beside one layer over K steps."""
    deep, long = stacked(K), stacked(1)
    alone = np.arange(T) > 0
    tape = run(deep, alone)
    broken, mended = sweep(deep, tape, edges(deep, windows(1))), sweep(long, run(long), edges(long, windows(K)))
    sizes = [float(sum(block.size for block in x.params.values())) for x in (deep, long)]
    found = backprop(deep.network, deep.params, tape, replace(full_plan(T), edge=(~alone)[:, None].astype(float)))
    H = deep.network.hidden
    down = [float(norm(layer[:, :H], 1).mean()) for layer in reversed(found.states)]
    back = [float(np.diagonal(mended.h, -lag).mean(where=_inside(lag))) for lag in range(K)]
    amounts = (
        Amount("parameters", sizes[0], sizes[1], ""),
        Amount("furthest lag that any loss reaches", 0.0, float(K - 1), "steps"),
        Amount("|dL/dh| in the last layer down, or at the furthest step back", down[-1], back[-1], ""))
    places = np.arange(K)
    picture = Picture("What is left of the gradient on its way", "layers down, or steps back", "|dL/dh|", True, (
        series("down through the layers", places, down, "truncated", points=True),
        series("back through time", places, back, "full", points=True)))
    maps = credit_maps(
        "|dL_s/dh_t| of all layers together, norm per sample, mean over the batch",
        credit_map(f"{K} layers, one step at a time", broken.h, windows(1)),
        credit_map(f"one layer, windows of {K} steps", mended.h, windows(K)),
        f"{K} layers reach no step but their own; one layer over {K} steps reaches up to {K - 1} steps back.")
    return Exhibit(
        BUG, f"The same inputs through {K} LSTM layers of {H} units, called step by step without a state, and through "
        f"one layer in windows of {K}.", amounts, maps, picture,
        f"Depth is not time: {sizes[0] / sizes[1]:.1f} times the parameters, and not one step of memory. On its way "
        f"down the gradient shrinks from {number(down[0])} to {number(down[-1])}.")


def _inside(lag: int) -> Bools:
    """(T - lag,): the losses whose window has a state at this lag."""
    return np.arange(lag, T) % K >= lag
