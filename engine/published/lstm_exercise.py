"""A well-known exercise on the LSTM's backward pass, whose expected numbers are those of one step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import RandomState  # the exercise's own generator: NumPy's older one, seeded with 1

from engine.arrays import Array, Params
from engine.backprop import Gradients, backprop
from engine.cells import CELLS
from engine.network import Network
from engine.published.result import About, Check, Picture, Published, Source, check, published, series
from engine.truncation import Plan, full_plan
from engine.unroll import Data, unroll

ABOUT = About(
    "lstm_exercise", "An exercise whose expected gradient is truncated to one step",
    Source("A. Ng et al., deeplearning.ai, Coursera", 2018, "Sequence Models, week 1: Building your recurrent neural "
           "network, step by step (lstm_backward)", "https://www.coursera.org/learn/nlp-sequence-models"),
    "lstm_backward is backpropagation through time over the sequence. Its expected output was dWf[3][1] = "
    "-0.0698198561 as first published; a later edition prints -0.0809802311.")
H, D, B, DRAWN, T = 5, 3, 10, 7, 4  # gradients are given for the first 4 of the 7 steps that are drawn
GATES = "ifco"  # the engine's order; the exercise calls the candidate c
EXPECTED = (  # block of the exercise, row, column, the number as first published, and that of the later edition
    ("Wf", 3, 1, -0.0698198561274, -0.0809802310938), ("Wi", 1, 2, 0.102371820249, 0.40512433093),
    ("Wc", 3, 1, -0.0624983794927, -0.0793746735512), ("Wo", 1, 2, 0.0484389131444, 0.038948775763),
    ("bf", 4, 0, -0.0565788, -0.15745657), ("bi", 4, 0, -0.15399065, -0.50848333),
    ("bc", 4, 0, -0.29691142, -0.42510818), ("bo", 4, 0, -0.29798344, -0.17958196),
    ("a0", 2, 3, -0.095911501954, 0.312770310257))


def compute() -> Published:
    """Returns the exercise's numbers with every edge cut, and with none."""
    found = blocks(gradients(1)), blocks(gradients(T))
    checks = [_expected(found[which], block, row, column, claimed[which], which)
              for block, row, column, *claimed in EXPECTED for which in (0, 1)]
    one, full = (blocks_["Wf"][3, 1] for blocks_ in found)
    return published(
        ABOUT, "The exercise's own draws (seed 1; x, a0, then Wf, bf, Wi, bi, Wo, bo, Wc, bc, then da), its weights "
        "put into the engine's LSTM, and two plans: every edge cut, and none.", checks,
        "The first edition added up each step's own gradient, but did not hand dL/dh and dL/dc on to the step "
        f"before: its dWf[3][1] is {100 * (1 - one / full):.0f} % smaller than that of BPTT. Whoever did pass the "
        "gradient on was told to be wrong, and many copies of it still say so.", _picture())


def _expected(found: Params, block: str, row: int, column: int, claimed: float, full: int) -> Check:
    """Biases are printed with 8 decimals, the others with 12 digits."""
    name = f"d{block}[{row}]" + ("" if block[0] == "b" else f"[{column}]")
    return check(f"{name}, {'full BPTT (later edition)' if full else 'truncated to one step (first edition)'}", claimed,
                 found[block][row, column], 5e-9 if block[0] == "b" else 1e-12)


def gradients(k: int) -> Gradients:
    """Returns the sweep over windows of k steps: 1 cuts every edge, T none."""
    params, data, da = _drawn()
    network = Network(CELLS["lstm", True], layers=1, inputs=D, hidden=H, outputs=H, embedding=0, classify=False)
    tape = replace(unroll(network, params, data, np.zeros(T, bool)), dy=da)
    return backprop(network, params, tape, _windows(k))


def _windows(k: int) -> Plan:
    plan = full_plan(T)
    edge = np.where(np.arange(T) % k == 0, 0.0, 1.0)[:, None]
    edge[0] = 1.0
    return replace(plan, title=f"window({k})", edge=edge)


def _drawn() -> tuple[Params, Data, Array]:
    """Returns the exercise's numbers in the engine's layout. Its W (5, 8) acts on a above x; the state is
    read out as it is, so that its da (5, 10, 4) is the gradient of the readout."""
    draw = RandomState(1).standard_normal
    x, a0 = draw((D, B, DRAWN)), draw((H, B))
    W, b = {}, {}
    for gate in "fioc":  # the order of the draws
        W[gate], b[gate] = draw((H, H + D)), draw((H, 1))
    da = draw((H, B, T))
    params = {"l0.W_ih": np.concatenate([W[gate][:, H:] for gate in GATES]),
              "l0.W_hh": np.concatenate([W[gate][:, :H] for gate in GATES]),
              "l0.b": np.concatenate([b[gate][:, 0] for gate in GATES]), "W_hy": np.eye(H), "b_y": np.zeros(H)}
    initial = np.concatenate([a0, np.zeros_like(a0)])
    data = Data(_steps(x), np.zeros((T, H, B)), np.ones(T, bool), (initial,))
    return params, data, _steps(da)


def _steps(x: Array) -> Array:
    """(features, B, steps) -> (T, features, B)."""
    return np.ascontiguousarray(np.moveaxis(x, 2, 0)[:T])


def blocks(found: Gradients) -> Params:
    """Returns the gradients by the exercise's names, Wf, bf, ..., a0; sums over the batch, where ours are means."""
    stacked = np.concatenate([found.blocks["l0.W_hh"], found.blocks["l0.W_ih"]], axis=1) * B
    bias = found.blocks["l0.b"][:, None] * B
    parts = {gate: slice(n * H, (n + 1) * H) for n, gate in enumerate(GATES)}
    return ({f"W{gate}": stacked[rows] for gate, rows in parts.items()}
            | {f"b{gate}": bias[rows] for gate, rows in parts.items()} | {"a0": found.initial[0][:H] * B})


def _picture() -> Picture:
    """The entry as the window grows."""
    ks = np.arange(1, T + 1)
    entries = [blocks(gradients(int(k)))["Wf"][3, 1] for k in ks]
    return Picture("dWf[3][1] in windows of k steps", "k (steps)", "dWf[3][1]", False, (
        series("window(k)", ks, entries, "truncated", points=True),
        series("full BPTT", ks, np.full(T, entries[-1]), "full"),
        series("expected by the exercise", ks, np.full(T, -0.0698198561), "ink")))
