"""stateful=True hands the value of the state to the next batch, and never the gradient back."""

from __future__ import annotations

from engine.backprop import backprop
from engine.compare import compare
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, flat, run, subject, sweep, windows
from engine.phrases import number, percent
from engine.published.result import Picture, series
from engine.truncation import full_plan

BUG = Bug(
    "keras_stateful", "Keras stateful=True taken to pass gradients",
    "A stateful layer starts each batch from the state that the batch before left, as a number: the gradient stops at "
    "the batch's first step.",
    "No error. Batches of one step, \"because the layer is stateful\", train on a gradient of one step; what lies "
    "further back is learned poorly or not at all.",
    "",
    "Make the batches as long in time as the dependence that is to be learned. stateful=True then adds the value of "
    "what came before.",
    "keras",
    (Met("RNN Stateful Backpropagation", "https://github.com/keras-team/keras/issues/3669",
         "Will backpropagation go through all the past states? The answer: it is truncated to the length of the second "
         "dimension, here one step."),
     Met("Stateful RNNs and Backpropagation through time", "https://github.com/keras-team/keras/issues/8945",
         "An endless series with a label at each step: a stateful RNN \"can't backpropagate through time\" beyond its "
         "batch."),
     Met("Don't use stateful LSTM unless you know what it does", "https://github.com/keras-team/keras/issues/7212",
         "A long thread on what the flag is good for: the gradient cannot go from batch to batch."),
     Met("About timesteps", "https://github.com/dafrie/lstm-load-forecasting/issues/3",
         "A model of loads with timesteps of 1 and stateful=True, on the theory that the state's way between batches "
         "would let it learn patterns far apart.")))
SHORT, LONG = 4, 12


def compute() -> Exhibit:
    """Returns stateful batches of SHORT steps beside such of LONG."""
    x = subject()
    tape = run(x)
    full = flat(backprop(x.network, x.params, tape, full_plan(T)).blocks)
    uncut = sweep(x, tape, edges(x, [])).h
    short, long = (sweep(x, tape, edges(x, windows(k))) for k in (SHORT, LONG))
    errors = [compare(flat(one.blocks), full).relative_error for one in (short, long)]
    last, other = SHORT, SHORT - 1
    amounts = (
        Amount(f"gradient of the loss at step {last} that reaches step {other}", float(short.h[last, other]),
               float(long.h[last, other]), ""),
        Amount("how much that loss depends on that state, as a value", float(uncut[last, other]),
               float(uncut[last, other]), ""),
        Amount("furthest lag that any loss reaches", float(SHORT - 1), float(LONG - 1), "steps"),
        Amount("relative error of the gradient, beside full BPTT", errors[0], errors[1], ""))
    lags = range(LONG + 2)
    picture = Picture("Share of the losses whose gradient gets that far back", "lag (steps)", "share", False, (
        series(f"batches of {SHORT} steps", lags, [max(0, SHORT - lag) / SHORT for lag in lags], "truncated"),
        series(f"batches of {LONG} steps", lags, [max(0, LONG - lag) / LONG for lag in lags], "full")))
    maps = credit_maps(
        "|dL_s/dh_t|, norm per sample, mean over the batch",
        credit_map(f"stateful, batches of {SHORT} steps", short.h, windows(SHORT)),
        credit_map(f"stateful, batches of {LONG} steps", long.h, windows(LONG)),
        f"The loss at step {last} depends on the state after step {other} by {number(float(uncut[last, other]))}, for "
        f"the value is handed on; with batches of {SHORT} steps no gradient goes there.")
    return Exhibit(
        BUG, f"One run of {T} steps with the state carried throughout, as stateful=True does; its gradient cut at "
        f"every {SHORT} and at every {LONG} steps.", amounts, maps, picture,
        f"Stateful batches of {SHORT} steps give a gradient that is {percent(errors[0])} off full BPTT, batches of "
        f"{LONG} steps one that is {percent(errors[1])} off: the length of the batch decides, not the flag.")
