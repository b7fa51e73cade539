"""The top layer alone, written out once more with a copy of h for each gate: the second opinion on paths. (leaf)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def step(cell: tuple[str, bool], w: Mapping[str, np.ndarray], x: np.ndarray, hs: Sequence[np.ndarray],
         kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns h' and c'. Gate g reads hs[g]; `kept` is what the highway carries: c of the LSTM, h of the GRU."""
    name, after = cell
    H = w["W_hh"].shape[1]
    into = w["W_ih"] @ x + w["b"]
    W = w["W_hh"].reshape(-1, H, H)
    a = into.reshape(-1, H)
    if name == "rnn":
        return np.tanh(a[0] + W[0] @ hs[0]), kept
    if name == "lstm":
        i, f, g, out = (a[n] + W[n] @ hs[n] for n in range(4))
        c = sigmoid(f) * kept + sigmoid(i) * np.tanh(g)
        return sigmoid(out) * np.tanh(c), c
    r, z = (sigmoid(a[n] + W[n] @ hs[n]) for n in range(2))
    n = np.tanh(a[2] + r * (W[2] @ hs[2] + w["b_hn"])) if after else np.tanh(a[2] + W[2] @ (r * hs[2]))
    return (1 - z) * n + z * kept, kept


def later_losses(cell: tuple[str, bool], w: Mapping[str, np.ndarray], read: tuple[np.ndarray, np.ndarray],
                 xs: np.ndarray, targets: np.ndarray, counts: np.ndarray, hs: Sequence[np.ndarray],
                 kept: np.ndarray) -> complex:
    """Returns the squared errors of the steps xs (n, D), from a state that each gate, and the highway, has its own
    copy of at the first of them."""
    total = 0j
    for x, target, counted in zip(xs, targets, counts, strict=True):
        h, c = step(cell, w, x, hs, kept)
        hs, kept = [h] * GATES[cell[0]], c if cell[0] == "lstm" else h
        if counted:
            total += 0.5 * np.square(read[0] @ h + read[1] - target).sum()
    return total
