"""An LSTM's state has two parts; only one of them was detached."""

from __future__ import annotations

import numpy as np

from engine.compare import compare
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, flat, run, subject, sweep, windows
from engine.phrases import number, percent

BUG = Bug(
    "h_not_c", "h detached, c not",
    "h is cut between two windows, and the gradient goes on through c, which reaches further than h does.",
    "In PyTorch the second batch stops with this error, and people are sure that they have detached the state. With "
    "retain_graph=True it runs, slower with every batch; the picture shows what then flows.",
    "RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they "
    "have already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad().",
    "Detach both: h, c = h.detach(), c.detach().",
    "pytorch",
    (Met("A small question of implementation", "https://github.com/IC3Net/IC3Net/issues/7",
         "Somebody asks why prev_hid[0] and prev_hid[1] are both taken out of the graph; the answer: an LSTM has two "
         "previous states, hidden and cell."),
     Met("Detach the hidden states", "https://github.com/dpressel/dliss-tutorial/issues/1",
         "A reader asks why detaching both h and c is necessary; the answer: it is truncated BPTT, with the state "
         "handed on as a value."),
     Met("Bug with returning final state in PackedLSTM?", "https://github.com/salesforce/decaNLP/issues/9",
         "The other half of the same slip: h, c = h[...], h[...] in a published model; c was meant.")), curve=False)
K = 8


def compute() -> Exhibit:
    """Returns what leaks through c, beside the cut that was meant."""
    x = subject()
    tape, starts = run(x), windows(K)
    meant, leaking = sweep(x, tape, edges(x, starts)), sweep(x, tape, edges(x, starts, h=0, c=1))
    uncut = sweep(x, tape, edges(x, starts, 1, 1))
    assert leaking.c is not None
    assert meant.c is not None
    assert uncut.c is not None
    last, edge = T - 1, T - K - 1
    error = compare(flat(leaking.blocks), flat(meant.blocks)).relative_error
    share = float(leaking.c[last, edge] / uncut.c[last, edge])
    amounts = (
        Amount(f"earliest step that the loss at step {last} reaches", 0.0, float(last - K + 1), ""),
        Amount(f"|dL/dc| of that loss at step {edge}, across the edge", float(leaking.c[last, edge]),
               float(meant.c[last, edge]), ""),
        Amount("share of the uncut |dL/dc| that crosses that edge", share, 0.0, ""),
        Amount("relative difference from the truncated gradient that was meant", error, 0.0, ""))
    maps = credit_maps(
        "|dL_s/d(h_t, c_t)|: both parts together, norm per part and sample, mean over the batch",
        credit_map("h detached, c not", np.hypot(leaking.h, leaking.c), starts),
        credit_map("both detached", np.hypot(meant.h, meant.c), starts),
        f"The loss at step {last} should reach step {last - K + 1} and no further; through c it reaches step 0, where "
        f"{number(float(np.hypot(leaking.h, leaking.c)[last, 0]))} arrives.")
    return Exhibit(
        BUG, f"An LSTM over {T} steps in windows of {K}; at each edge the rows of h are cut in the backward sweep and "
        "those of c are not.", amounts, maps, None,
        f"Of |dL/dc| at the last edge {percent(share)} still crosses: c is the highway, and detaching h leaves it "
        f"open. The gradient of the weights is {percent(error)} off the truncated one that was meant.")
