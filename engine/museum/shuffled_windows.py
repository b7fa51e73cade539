"""The state is carried, and the windows come in a random order: each starts from the end of an unrelated one."""

from __future__ import annotations

import numpy as np

from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.places import PLACES, K, looks
from engine.museum.streams import Course, curve, train
from engine.phrases import percent
from engine.published.lagged_bits import reset_floor
from engine.published.result import Picture, series

BUG = Bug(
    "shuffled_windows", "State carried over shuffled windows",
    "A data loader shuffles the windows (or the sequences have nothing to do with each other), and the state is still "
    "handed on.",
    "No error. The loss stays above even that of a state reset at every window: what a window starts from is noise.",
    "",
    "Carry the state only along one series: cut it into as many long pieces as the batch has rows, and read them in "
    "order. Where the sequences are unrelated, reset the state at each.",
    "pytorch",
    (Met("Shouldn't shuffle = True be set to shuffle = False?", "https://github.com/Netanelshoshan/freqAI-LSTM/issues/15",
         "The training loader of an LSTM on time series shuffled; the author agreed that it should not."),
     Met("Reset elmo states", "https://github.com/nyu-mll/jiant/pull/345",
         "ELMo's LSTM carried its state over from batch to batch; the change begins each batch at zeros."),
     Met("bug during data loading (and tests)", "https://github.com/allenai/bilm-tf/issues/229",
         "A loader of continued sentences wedged the second sentence between the halves of the first, while the state "
         "was shared between batches."),
     Met("lstm_text_generation shuffle question", "https://github.com/keras-team/keras/issues/1160",
         "Where no state is carried, shuffling whole windows does no harm: each holds its own sequence.")))


def compute() -> Exhibit:
    """Returns the losses of trainings on shuffled windows and on streams, both with the state carried."""
    shuffled, streams, reset = train(Course("shuffled")), train(Course()), train(Course(carry=False))
    broken, mended = (looks(streams.params, layout) for layout in ("shuffled", "streams"))
    wrong, right = broken.elsewhere, mended.elsewhere
    amounts = (
        Amount("loss over the last quarter of the training", shuffled.late, streams.late, "nats"),
        Amount("the same with the state reset at every window", reset.late, reset.late, "nats"),
        Amount("share of the dependence beyond its window that is on what a loss does not continue", wrong, right, ""))
    picture = Picture("Training loss, windows of 5 steps, state carried", "updates", "nats", False, (
        series("windows shuffled", *curve(shuffled.losses), "truncated"),
        series("windows in order", *curve(streams.losses), "full"),
        series("state reset (windows in order)", *curve(reset.losses), "ink")))
    maps = credit_maps(
        "how much the loss at a place depends on the state after another place, nothing detached",
        credit_map("windows shuffled", broken.values, np.arange(0, PLACES, K)),
        credit_map("windows in order", mended.values, np.arange(0, PLACES, K)),
        f"Shuffled, {percent(wrong)} of what a loss takes from beyond its window comes from text that it does not "
        "continue; some of it from the right of the diagonal, which is the future.",
        ("loss at place", "state after place"))
    return Exhibit(
        BUG, f"A series of {PLACES} bits in windows of {K}, two rows a batch, read by the network that was trained on "
        "windows in order; and whole trainings in both orders.", amounts, maps, picture,
        f"Shuffled and carried, the training ends at {shuffled.late:.3f} nats: worse than with a state that is reset "
        f"at every window ({reset.late:.3f}, where {reset_floor(K):.3f} is the least possible), and far from the "
        f"{streams.late:.3f} of the same windows in order.")
