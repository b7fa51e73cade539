"""The last batch is smaller; the error says that the rows of the batches were no streams."""

from __future__ import annotations

import numpy as np

from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.places import BATCH, PLACES, K, looks
from engine.museum.streams import BATCH as ROWS
from engine.museum.streams import Course, curve, train
from engine.phrases import number
from engine.published.result import Picture, series

BUG = Bug(
    "last_batch", "The last batch has fewer rows",
    "The state of a full batch meets a last batch of a smaller size; or that of training meets another batch size in "
    "validation.",
    "Everything runs until the last batch of the first epoch, or the first of validation.",
    "RuntimeError: Expected hidden[0] size (1, 2, 8), got [1, 4, 8]",
    "drop_last=True silences it. But a loader that counts windows gives row i of a batch a window that does not follow "
    "row i of the batch before. Cut the series into as many pieces as the batch has rows, and windows along them: the "
    "last window is then shorter in time, never in rows.",
    "pytorch",
    (Met("Add drop_last to Sentiment_RNN_Solution.ipynb",
         "https://github.com/udacity/deep-learning-v2-pytorch/pull/398",
         "A course's notebook ran with batches of 50 and not of 64: 2,500 is no multiple of 64. drop_last was added."),
     Met("Issue in batch size while validation", "https://github.com/gabrielloye/LSTM_Sentiment-Analysis/issues/4",
         "365 validation rows in batches of 100: the fourth has 65, and meets the state of 100."),
     Met("[Issue with Example Code] Running into Expected size issue",
         "https://github.com/PetrochukM/PyTorch-NLP/issues/51",
         "Training ran; validation, with 10 rows in place of 70, met the state that training had left.")))


def compute() -> Exhibit:
    """Returns where the rows' states come from, by a loader of windows and by streams."""
    loader, streams = train(Course("loader")), train(Course())
    broken, mended = (looks(streams.params, layout).values for layout in ("loader", "streams"))
    second = K * BATCH  # the first place of row 0 in the second batch of a loader
    came = int(broken[second, :second].argmax())
    gap = float((ROWS - 1) * K)
    amounts = (
        Amount(f"places between a window and what its row read before, with {ROWS} rows", gap, 0.0, "places"),
        Amount("loss over the last quarter of the training", loader.late, streams.late, "nats"),
        Amount("dependence of the first loss of a second batch on the place right before it",
               float(broken[second, second - 1]), float(mended[second, second - 1]), ""))
    picture = Picture("Training loss, windows of 5 steps, state carried", "updates", "nats", False, (
        series("windows side by side", *curve(loader.losses), "truncated"),
        series("streams", *curve(streams.losses), "full")))
    edges = np.arange(0, PLACES, K)
    maps = credit_maps(
        "how much the loss at a place depends on the state after another place, nothing detached",
        credit_map("windows side by side, as a loader gives them", broken, edges),
        credit_map("as many streams as rows", mended, edges),
        f"The loss at place {second} should look at place {second - 1}; its row's state comes from place {came}, and "
        f"takes {number(float(broken[second, came]))} from there.", ("loss at place", "state after place"))
    return Exhibit(
        BUG, f"A series of {PLACES} bits in windows of {K} with {BATCH} rows, mapped by place; and trainings with "
        f"{ROWS} rows that differ only in the order of the windows.", amounts, maps, picture,
        f"With {ROWS} rows each window starts {gap:.0f} places after what its row has just read. Trained like that the "
        f"loss ends at {loader.late:.3f} nats; on streams, at {streams.late:.3f}. The error of the last batch is the "
        "least of it.")
