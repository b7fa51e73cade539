"""The loss is summed over the window's steps, the clip norm is one for their mean: every update is clipped."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import edges, run, subject, sweep, windows
from engine.museum.streams import POINTS, UPDATES, Course, K, curve, summed, train
from engine.phrases import number, percent
from engine.published.result import Picture, series

BUG = Bug(
    "sum_loss_clip", "Loss summed over time, clip norm meant for a mean",
    "With the sum over k steps the gradient is k times that of the mean; a clip norm copied from code with a mean then "
    "clips nearly always.",
    "No error. Clipping was to catch the rare explosion, and now sets the length of every step: the learning rate has "
    "no longer the meaning that it had, and changing num_steps changes the training.",
    "",
    "Take the mean over time, or multiply the clip norm (and divide the rate) by the number of steps; log how often "
    "clipping happens.",
    "pytorch",
    (Met("Gradient magnitude depends on seq_length", "https://github.com/karpathy/char-rnn/issues/70",
         "Measured in char-rnn: a norm of 3.0 for 10 steps, 61 for 250, 105 for 500; divided by the length, about 0.3 "
         "for all. Karpathy: this is in fact a bug."),
     Met("Gradient divided by sequence length", "https://github.com/karpathy/char-rnn/issues/104",
         "Asked once more two months later, with sequences of different lengths in mind."),
     Met("Support gradient clipping. Simplify loss normalization", "https://github.com/awslabs/keys_values/pull/94",
         "A change that brings clipping at norm 1, and with it settles how losses summed over chunks are normalised.")))
CLIP, RATE = 0.25, 0.5


def compute() -> Exhibit:
    """Returns trainings with the same clip norm, on the sum and on the mean over a window's steps."""
    mean = train(Course(sgd=RATE, clip=CLIP))
    total = train(summed(Course(sgd=RATE, clip=CLIP)))
    clipped = [float((one.norms > CLIP).mean()) for one in (total, mean)]
    middle = [float(np.median(one.norms)) for one in (total, mean)]
    after = [np.minimum(one.norms, CLIP) for one in (total, mean)]
    spread = [float(np.std(norms) / np.mean(norms)) for norms in after]
    amounts = (
        Amount("share of the updates that are clipped", clipped[0], clipped[1], ""),
        Amount("median norm before clipping", middle[0], middle[1], ""),
        Amount("spread of the norms after clipping, beside their mean", spread[0], spread[1], ""),
        Amount("loss over the last quarter of the training", total.late, mean.late, "nats"))
    ends = curve(mean.norms)[0]
    picture = Picture("Gradient norm before clipping, median of 30 updates", "updates", "norm", True, (
        series("loss summed over 5 steps", ends, medians(total.norms), "truncated"),
        series("mean over 5 steps", ends, medians(mean.norms), "full"),
        series(f"clip norm {CLIP}", [0, UPDATES], [CLIP] * 2, "ink")))
    x = subject()
    starts = windows(K, len(x.data.counts))
    swept = sweep(x, run(x), edges(x, starts)).h
    maps = credit_maps(
        "|dL_s/dh_t| as it enters the gradient, before clipping",
        credit_map("summed over the window", swept, starts), credit_map("mean over the window", swept / K, starts),
        f"The same picture, {K} times as strong everywhere: nothing is wrong with it but its size.")
    return Exhibit(
        BUG, f"A plain RNN on lagged bits, windows of {K} steps, SGD at rate {RATE}, clip norm {CLIP}, on the same "
        "windows from the same weights.", amounts, maps, picture,
        f"Summed, {percent(clipped[0])} of the updates are clipped, with a mean {percent(clipped[1])}. The median norm "
        f"is {number(middle[0])} beside {number(middle[1])}, where {CLIP} is allowed: nearly every step has the same "
        "length, however much or little there is to learn.")


def medians(norms: Array) -> Array:
    """Returns (POINTS,): the median of the norms since the last point."""
    return np.asarray(np.median(norms.reshape(POINTS, -1), axis=1))
