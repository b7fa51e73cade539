"""Traces of programs that cut where they are told to: which loss leads where is walked node by node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from engine.recorded import Recorded, recorded

Node = tuple[str, int]
Cuts = Mapping[str, Iterable[int]]  # row -> the steps before which its own edge is cut
# What each row's state at step t is made of: rows of the step before, and rows of the same step; the last row is read.
LSTM = {"lstm.l0.c": (("lstm.l0.h", "lstm.l0.c"), ()), "lstm.l0.h": (("lstm.l0.h",), ("lstm.l0.c",))}
RNN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {"rnn.l0.h": (("rnn.l0.h",), ())}
GRU2 = {"gru.l0.h": (("gru.l0.h",), ()), "gru.l1.h": (("gru.l1.h",), ("gru.l0.h",))}


def every(k: int, T: int, first: int | None = None) -> list[int]:
    """Returns the steps k, 2k ... below T."""
    return list(range(k if first is None else first, T, k))


def leads_to(cell: Mapping[str, Any], cuts: Cuts, s: int) -> set[Node]:
    """Returns every state that the loss at step s leads back to."""
    top = list(cell)[-1]
    seen: set[Node] = set()
    waiting = [(top, s)]
    while waiting:
        row, t = waiting.pop()
        if (row, t) in seen:
            continue
        seen.add((row, t))
        before, beside = cell[row]
        waiting += [(other, t) for other in beside]
        waiting += [(other, t - 1) for other in before if t > 0 and t not in set(cuts.get(other, ()))]
    return seen


def meta(rows: Iterable[str], windows: Iterable[int] = (0,), declared: object = None, **more: Any) -> dict[str, Any]:
    return {"format": "unrolled-trace", "version": 1, "tool": "a test", "framework": "none", "declared": declared,
            "rows": list(rows), "parameters": [], "batch": 2, "windows": list(windows), **more}


def arrays(cell: Mapping[str, Any], cuts: Cuts, T: int, losses: Iterable[int] | None = None,
           credit: Callable[[int], float] | None = None, reset: Cuts | None = None, edge: bool = True,
           value: bool = True) -> dict[str, np.ndarray]:
    """Returns a trace's arrays; `credit` gives the norm of a gradient by its lag, `reset` where values start anew."""
    rows, steps = list(cell), list(range(T)) if losses is None else list(losses)
    all_cuts = {row: {*cuts.get(row, ()), *(reset or {}).get(row, ())} for row in rows}
    connected = np.zeros((len(rows), len(steps), T), np.uint8)
    for r, s in enumerate(steps):
        for row, t in leads_to(cell, all_cuts, s):
            connected[rows.index(row), r, t] = 1
    found: dict[str, np.ndarray] = {"loss": np.linspace(2, 1, T), "losses": np.array(steps), "connected": connected}
    if credit is not None:
        lag = np.array(steps)[:, None] - np.arange(T)[None, :]
        found["credit"] = connected * np.vectorize(credit, otypes=[float])(np.maximum(lag, 0))
    if edge:
        found["edge"] = flags(rows, all_cuts, T)
    if value:
        found["value"] = flags(rows, reset or {}, T)
    return found


def flags(rows: Iterable[str], stopped: Cuts, T: int) -> np.ndarray:
    made = np.ones((len(list(rows)), T), np.uint8)
    made[:, 0] = 0
    for place, row in enumerate(rows):
        made[place, list(stopped.get(row, ()))] = 0
    return made


def made(cell: Mapping[str, Any], cuts: Cuts, T: int, windows: Iterable[int], declared: object = None,
         **more: Any) -> Recorded:
    """Returns the recording of a program."""
    text = json.dumps(meta(cell, windows, declared)).encode()
    return recorded(text, arrays(cell, cuts, T, **more))
