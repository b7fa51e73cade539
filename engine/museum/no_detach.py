"""The state is carried with its history: the second backward pass runs into the first window's freed graph."""

from __future__ import annotations

import numpy as np

from engine.museum.exhibit import Amount, Bug, CreditMaps, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, run, subject, sweep, tape_bytes, windows
from engine.phrases import number
from engine.published.result import Picture, series

BUG = Bug(
    "no_detach", "No detach at all",
    "The final state of one window is the first state of the next, and still hangs on everything that made it.",
    "The first batch trains. The second stops at loss.backward() with this error. Where each batch's graph is kept "
    "instead, memory and time grow with every batch.",
    "RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they "
    "have already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you "
    "need to access saved tensors after calling backward.",
    "Detach every part of the state between two windows: state = tuple(part.detach() for part in state).",
    "pytorch",
    (Met("403: question about h_state = h_state.data", "https://github.com/MorvanZhou/PyTorch-Tutorial/issues/57",
         "A reader of a tutorial took out the line that cuts the state, met the error, found that retain_graph=True "
         "silences it, and asked what the line had been for."),
     Met("Why cannot backpropagate more than once happens in RNN/LSTM training",
         "https://learn.biosrag.com/ai/rnn-training-4.html",
         "With an autograd engine of the author's own the same happens: the state was wrapped anew once before the "
         "loop, and not at the start of every batch."),
     Met("Do we need .backward(retain_graph=True)?", "https://github.com/jlamprou/Infini-Attention/issues/3",
         "A model that carries a memory from segment to segment met the error; the author answered that the memory "
         "is to be detached when it is updated.")))
K = 6


def compute() -> Exhibit:
    """Returns what each window's backward pass would have to walk and keep, without and with the cut."""
    x = subject()
    kept = [tape_bytes(run(subject(steps=n))) for n in range(K, T + 1, K)]
    ends = np.arange(1, len(kept) + 1)
    amounts = (
        Amount("bytes that the tape holds after the last window", kept[-1], kept[0], "bytes"),
        Amount("steps that the last window's backward pass walks", float(T), float(K), "steps"),
        Amount("steps that all backward passes walk together", float((K * ends).sum()), float(K * len(ends)), "steps"))
    picture = Picture("What is kept for the backward pass", "window", "bytes", False, (
        series("no detach", ends, kept, "truncated"), series("detached between windows", ends, kept[:1] * len(ends),
                                                               "full")))
    return Exhibit(
        BUG, f"An LSTM of {x.network.hidden} units over {T} steps in windows of {K}. The bytes are those of the "
        "engine's own tape; a framework keeps the same kinds of arrays.", amounts, maps(), picture,
        f"After window {len(ends)}, {number(kept[-1])} bytes hang on the state, {kept[-1] / kept[0]:.2g} times those "
        f"of one window, and the passes together have walked {(K * ends).sum()} steps where {K * len(ends)} were "
        "enough. Each further window adds as much again.")


def maps() -> CreditMaps:
    """Returns the credit without a cut, and with one at each window's start."""
    x = subject()
    tape, starts = run(x), windows(K)
    uncut, cut = sweep(x, tape, edges(x, starts, 1, 1)), sweep(x, tape, edges(x, starts))
    first = f"The loss at step {T - 1} reaches back to step 0, where {number(float(uncut.h[-1, 0]))} arrives"
    return credit_maps(
        "|dL_s/dh_t|, norm per sample, mean over the batch", credit_map("no detach", uncut.h, starts),
        credit_map("detached between windows", cut.h, starts),
        f"{first}, through all four windows; with the cut it ends at step {T - K}.")
