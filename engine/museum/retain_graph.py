"""retain_graph=True: the error is gone, and every window pays for all windows before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Array, Params
from engine.backprop import backprop
from engine.compare import compare
from engine.experiment import Experiment
from engine.museum import no_detach
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, relabelled
from engine.museum.runs import T, edges, flat, run, subject, sweep, windows
from engine.phrases import number, percent
from engine.published.result import Picture, series
from engine.truncation import full_plan
from engine.unroll import Tape

BUG = Bug(
    "retain_graph", "retain_graph=True as a cure",
    "The error about the freed graph names a flag; with it nothing is freed any more, and nothing is cut.",
    "Each batch takes longer than the one before, and memory grows until there is none. With an optimizer step between "
    "the windows, PyTorch from 1.5 on stops with this error instead: the old graph needs the old weights.",
    "RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation",
    "Detach the state between two windows. Where full BPTT is wanted, add the windows' losses up and call backward() "
    "once: the same gradient, for one walk.",
    "pytorch",
    (Met("Trying to backward through the graph a second time, but ... have already been freed",
         "https://github.com/sgadgil6/cnslab_fmri/issues/4",
         "An LSTM whose state lives in the module met the error; with retain_graph=True it ran out of memory."),
     Met("Memory blow up when setting retain_graph = True",
         "https://github.com/GBLin5566/toward-controlled-generation-of-text-pytorch/issues/9",
         "The flag was the advice of the thread before; the memory of the graphics card filled up."),
     Met("why in my model_search only loss.backward(retain_graph=True) can run",
         "https://github.com/quark0/darts/issues/56",
         "The answer: you are backpropagating all the way back through time; make repackage_hidden detach the state."),
     Met("From the freed graph to the inplace error", "https://blog.youkuaiyun.com/windhawk_fly/article/details/143405685",
         "An LSTM's h0 and c0 were carried through the epoch; the flag turned the first error into the second.")))
K = no_detach.K


def compute() -> Exhibit:
    """Returns the gradient that the flag gives, and what it costs."""
    x = subject()
    tape, starts, ends = run(x), windows(K), np.arange(1, T // K + 1)
    retained = by_windows(x, tape)
    full = flat(backprop(x.network, x.params, tape, full_plan(T)).blocks)
    cut = flat(sweep(x, tape, edges(x, starts)).blocks)
    walked = K * ends
    far, near = compare(retained, full).relative_error, compare(cut, full).relative_error
    amounts = (
        Amount("steps walked back by the first window", float(walked[0]), float(K), "steps"),
        Amount("steps walked back by the last window", float(walked[-1]), float(K), "steps"),
        Amount("steps walked back by 1,000 windows", K * 500.0 * 1001, K * 1000.0, "steps"),
        Amount("relative difference from the gradient of full BPTT", far, near, ""))
    maps = no_detach.maps()
    maps = replace(maps, broken=relabelled(maps.broken, "retain_graph=True"))
    picture = Picture("Steps that each window's backward pass walks", "window", "steps", False, (
        series("retain_graph=True", ends, walked, "truncated"),
        series("detached between windows", ends, [K] * len(ends), "full")))
    return Exhibit(
        BUG, "The broken program calls backward() for each window over everything kept so far, and steps once at the "
        f"end. The engine does the same: a sweep for each of {len(ends)} windows of {K} steps, added up.", amounts,
        maps, picture,
        f"What comes out is the gradient of full BPTT (difference {number(far)}), but the first window was walked back "
        f"{len(ends)} times for it. Cutting at each window instead changes the gradient by {percent(near)}. After "
        "1,000 windows the flag has walked 500 times as many steps.")


def by_windows(x: Experiment, tape: Tape) -> Array:
    """Returns the sum of the gradients of each window's losses, each swept back to the very start."""
    total: Params = {name: np.zeros_like(block) for name, block in x.params.items()}
    for start in windows(K):
        only = np.zeros_like(tape.dy)
        only[start : start + K] = tape.dy[start : start + K]
        found = backprop(x.network, x.params, replace(tape, dy=only), full_plan(T)).blocks
        total = {name: total[name] + block for name, block in found.items()}
    return flat(total)
