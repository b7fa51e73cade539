"""Validation starts from the state that training happened to leave."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.credit import credit
from engine.museum.exhibit import Amount, Bug, CreditMaps, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, run, subject
from engine.museum.streams import BATCH, HIDDEN, Course, bits, forward, train
from engine.phrases import number
from engine.published.result import Picture, series

BUG = Bug(
    "validation_state", "State carried into validation",
    "The loop over the validation set goes on with the state of the last training batch (or of the last session).",
    "No error. The same weights on the same validation set give another loss, depending on what was trained on just "
    "before; the first steps are judged on a memory of another text.",
    "",
    "Start validation from its own state: zeros, or, if it continues the training text, the state that the text right "
    "before it leaves. Give the training loop its own state back afterwards.",
    "pytorch",
    (Met("Evaluation does not reset hidden states", "https://github.com/hungpthanh/GRU4REC-pytorch/issues/7",
         "The evaluation of a session recommender carried the state over sessions; the author agreed that it is to be "
         "reset."),
     Met("RNN:resetStates is broken", "https://github.com/soumith/cudnn.torch/issues/348",
         "States were copied from call to call unless the batch size changed; training, shuffled, hid it, and "
         "validation showed strange numbers."),
     Met("Reset states at evaluation time", "https://github.com/paxcema/KerasGRU4Rec/pull/8",
         "Merged under this title into a session recommender with stateful Keras layers.")))
STEPS, TRAINED, DRAWS = 20, T // 2, 8


def compute() -> Exhibit:
    """Returns the same validation, by the state that it starts from."""
    trained = train(Course())
    left = [np.roll(trained.state, shift, axis=1) for shift in range(DRAWS)]  # rows of other texts: all as good a start
    carried = np.stack([losses(trained.params, state) for state in left])
    again = np.stack([losses(trained.params, np.zeros((HIDDEN, BATCH))) for _ in left])
    fresh = again[0]
    late, nothing = (float(np.ptp(each[:, 8:].mean(axis=1))) for each in (carried, again))
    spread, none = (float(np.ptp(each[:, :8].mean(axis=1))) for each in (carried, again))
    amounts = (
        Amount("validation loss of the first 8 steps", float(carried[0, :8].mean()), float(fresh[:8].mean()), "nats"),
        Amount(f"largest difference between {DRAWS} evaluations of the same weights on the same data", spread, none,
               "nats"),
        Amount("largest difference from step 8 on", late, nothing, "nats"))
    steps = np.arange(STEPS)
    picture = Picture("Validation loss by step", "step of the validation set", "nats", False, (
        series("state left by training", steps, carried[0], "truncated"), series("fresh state", steps, fresh, "full")))
    return Exhibit(
        BUG, f"A trained RNN reads {BATCH} validation rows of {STEPS} bits, from the state of the last training batch "
        f"({DRAWS} ways to assign its rows) and from zeros.", amounts, maps(), picture,
        f"By nothing but the state that training left, the loss of the first 8 steps differs by up to {number(spread)} "
        "nats between evaluations of one model. The shorter the validation sequences, the more of them is that.")


def losses(params: dict[str, Array], state: Array) -> Array:
    """Returns (STEPS,): the mean loss of the validation rows at each step, from a state (H, B)."""
    read, targets = (part.reshape(BATCH, STEPS).T for part in bits(STEPS * BATCH, seed=11))
    return np.asarray(forward(params, read, targets, state).losses.mean(axis=1))


def maps() -> CreditMaps:
    """Returns how much the losses of validation depend on the states of training."""
    x = subject()
    rows = np.arange(TRAINED, T)
    resets = np.arange(T) == TRAINED
    never = np.zeros(T, bool)
    broken, mended = (credit(x.network, x.params, run(x, at), at, rows)[0] for at in (never, resets))
    return credit_maps(
        "|dL_s/dh_t| with nothing detached: how much a validation loss depends on a state",
        credit_map("state carried into validation", broken, [0, TRAINED]),
        credit_map("validation from a fresh state", mended, [0, TRAINED]),
        f"Steps 0 to {TRAINED - 1} are training, the rest validation. Carried, the first validation loss depends on "
        f"the last training state ({number(float(broken[0, TRAINED - 1]))}); from a fresh state, on none of them.",
        ("validation loss at step", "state after step"), rows)
