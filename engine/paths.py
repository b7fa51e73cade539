"""The exact split of the state gradient by the way it came back from the next step.

LSTM: dL/dc_t = dL/dc_{t+1} * f_{t+1} (the highway) + o_t tanh'(c_t) * dL/dh_t, and dL/dh_t is the sum of what
the four gates of step t+1 send back through W_hh, and of the loss read at t. GRU: dL/dh_t = dL/dh_{t+1} * z
(the highway) + the three gates + the readout. Each part p of the whole g has the signed share <p, g> / |g|^2;
the shares of a step sum to 1.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, norm
from engine.credit import credit
from engine.diagnostics import Paths
from engine.phrases import number, percent
from engine.reference import Reference

WAYS = {"lstm": ("input gate", "forget gate", "candidate", "output gate"),
        "gru": ("reset gate", "update gate", "candidate"), "rnn": ("recurrence",)}


def paths(kept: Reference) -> Paths:
    """Returns the split of full BPTT's state gradient in the top layer, and the 1997 rule beside the truth."""
    cell, H = kept.x.network.cell, kept.x.network.hidden
    ds, top = kept.gradients.states[-1], len(kept.tape.layers) - 1
    into_h = _gates_to_h(kept, top)
    into_h["readout"] = np.matmul(kept.x.params["W_hy"].T, kept.tape.dy)
    factors = kept.tape.layers[-1].factors
    if cell.name == "lstm":
        whole = ds[:, H:]
        through_h = factors[:, 4 * H : 5 * H]
        parts = {"highway": _later(ds[:, H:] * factors[:, 5 * H :])} | {n: p * through_h for n, p in into_h.items()}
    else:
        whole = ds[:, :H]
        parts = ({"highway": _later(ds[:, :H] * factors[:, 4 * H :])} if cell.name == "gru" else {}) | into_h
    shares = _shares(parts, whole)
    rule, truth, factor = _rule_of_1997(kept)
    return Paths("c" if cell.name == "lstm" else "h", shares, rule, truth, factor, _sentence(shares, factor))


def _shares(parts: dict[str, Array], whole: Array) -> dict[str, Array]:
    """Returns <part, whole> / |whole|^2 per step, NaN where the whole is 0; each step in units of its largest
    entry, so that squares stay in range."""
    unit = np.abs(whole).max(axis=(1, 2), keepdims=True)
    unit = np.where(unit > 0, unit, np.nan)
    scaled = whole / unit
    square = np.square(scaled).sum(axis=(1, 2))
    return {name: (part / unit * scaled).sum(axis=(1, 2)) / square for name, part in parts.items()}


def _later(x: Array) -> Array:
    """Returns what stands at t for what step t + 1 sends back: shifted by one, nothing at the end."""
    return np.concatenate((x[1:], np.zeros_like(x[:1])))


def _gates_to_h(kept: Reference, layer: int) -> dict[str, Array]:
    """Returns what each gate of the next step sends back to h_t, (T, H, B)."""
    H, W = kept.x.network.hidden, kept.x.params[f"l{layer}.W_hh"]
    pairs = kept.gradients.terms[f"l{layer}.W_hh"]
    tape = kept.tape.layers[layer]
    out: list[Array] = []
    for dA, right in pairs:
        for gate in range(dA.shape[1] // H):
            rows = slice(len(out) * H, (len(out) + 1) * H)
            back = np.matmul(W[rows].T, dA[:, gate * H : (gate + 1) * H])
            if right is tape.extra:  # the reset gate stood before this product
                back *= tape.act[:, :H]
            out.append(_later(back))
    return dict(zip(WAYS[kept.x.network.cell.name], out, strict=True))


def _rule_of_1997(kept: Reference) -> tuple[Array | None, Array, float]:
    """Returns, for the last loss, |dL_s/dc_s times the forget gates' product|, |dL_s/dc_t|, and truth / rule at 0."""
    H, tape = kept.x.network.hidden, kept.tape.layers[-1]
    s = int(np.flatnonzero(kept.x.data.counts)[-1])
    h, c = credit(kept.x.network, kept.x.params, kept.tape, kept.plan.reset, np.array([s]))
    row = h[0] if c is None else c[0]
    truth = np.where(np.arange(len(row)) <= s, row, np.nan)
    if kept.x.network.cell.name != "lstm" or kept.x.network.layers > 1:
        return None, truth, float("nan")
    start = (kept.x.params["W_hy"].T @ kept.tape.dy[s]) * tape.factors[s, 4 * H : 5 * H]
    rule = np.full(len(truth), np.nan)
    for t in range(s, -1, -1):
        rule[t] = norm(start, 0).mean()
        start = start * tape.factors[t, 5 * H :]
    return rule, truth, float(truth[0] / rule[0]) if rule[0] > 0 else float("nan")


def _sentence(shares: dict[str, Array], factor: float) -> str:
    means = {name: float(share[np.isfinite(share)].mean()) for name, share in shares.items()
             if np.isfinite(share).any()}
    if not means:
        return "No gradient reaches the state, so there is nothing to split."
    most = max(means, key=lambda name: means[name])
    text = (f"On average over the steps, the largest share of the state's gradient, {percent(means[most])}, "
            f"comes through the {most}.")
    if not np.isfinite(factor) or factor <= 0:
        return text
    off = f"{number(factor)} times" if factor >= 1 else f"1/{number(1 / factor)} of"
    return f"{text} At step 0 the whole gradient is {off} what the product of the forget gates alone would bring."
