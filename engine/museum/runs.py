"""What the exhibits run: one small network and its data, swept with a row for each loss and any cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array, Params, norm
from engine.config import parse
from engine.experiment import Experiment, prepare
from engine.network import layer_params
from engine.truncation import Plan, plan_of
from engine.unroll import Tape, unroll

T = 24
BASE: dict[str, object] = {"cell": "lstm", "hidden": 8, "batch": 4, "steps": T, "task": "lagged_bits", "seed": 5,
                           "gain": 1.5}


@dataclass(frozen=True)
class Swept:
    """What a sweep with a row for each loss gives: norms per sample, averaged over the batch."""

    h: Array  # (T, T): row s, column t: |dL_s/dh_t|, all layers together
    c: Array | None  # (T, T): |dL_s/dc_t|
    blocks: Params  # the gradient of the batch's mean loss, summed over the losses


def subject(**options: object) -> Experiment:
    """Returns the museum's network and data, one-hot as a framework has them, with some options changed."""
    x = prepare(parse(BASE | options))
    return replace(x, data=x.data.dense(x.network.inputs))


def plan(**options: object) -> Plan:
    """Returns the plan of some options."""
    return plan_of(parse(BASE | options))


def run(x: Experiment, reset: Array | None = None) -> Tape:
    """Returns the tape of the subject's run; the state is the initial one again before the marked steps."""
    return unroll(x.network, x.params, x.data, np.zeros(len(x.data.counts), bool) if reset is None else reset)


def sweep(x: Experiment, tape: Tape, keep: Array, slopes: list[Array] | None = None) -> Swept:
    """Returns what each loss sends back to each state. keep (T, S) multiplies what crosses from step t to t - 1,
    for each row of a layer's state: 0 where a detach() cuts it, 1 where it passes; keep[0] has no effect. slopes are,
    per layer, the elementwise derivatives (T, F, B) to go by, where not the tape's own.

    Each loss is a column group of its own, so that cuts of single rows need no second backward pass."""
    cell, H = x.network.cell, x.network.hidden
    steps, B = tape.losses.shape
    w = [layer_params(x.params, layer) for layer in range(x.network.layers)]
    ds = [np.zeros((x.network.state, steps, B)) for _ in w]
    records = [np.empty((steps, cell.records * H, B)) for _ in w]
    factors = slopes or [kept.factors for kept in tape.layers]
    norms = np.zeros((cell.parts, steps, steps))
    for t in range(steps - 1, -1, -1):
        ds[-1][:H, t] += x.params["W_hy"].T @ tape.dy[t]
        squares = np.zeros((cell.parts, steps, B))
        for layer in range(len(w) - 1, -1, -1):
            dA, back = np.empty((cell.records * H, steps, B)), np.empty_like(ds[layer])
            cell.backward(w[layer], factors[layer][t].reshape(-1, H, 1, B), ds[layer], dA, back)
            squares = np.hypot(squares, norm(ds[layer].reshape(cell.parts, H, steps, B), 1))
            records[layer][t] = dA.sum(axis=1)
            if layer:
                ds[layer - 1][:H] += np.einsum("gd,gmb->dmb", w[layer]["W_ih"], cell.input_side(dA, 0))
            ds[layer] = back * keep[t][:, None, None]
        norms[:, :, t] = squares.mean(axis=2)
    return Swept(norms[0], norms[1] if cell.parts == 2 else None, _blocks(x, tape, records))


def _blocks(x: Experiment, tape: Tape, records: list[Array]) -> Params:
    """Returns the gradient of every block from the records of all steps."""
    B = tape.losses.shape[1]
    out: Params = {}
    for layer, (kept, dA) in enumerate(zip(tape.layers, records, strict=True)):
        for name, pairs in x.network.cell.terms(kept, dA).items():
            found = np.concatenate([np.einsum("tpn,tqn->pq", left, right) for left, right in pairs]) / B
            out[f"l{layer}.{name}"] = found.reshape(x.params[f"l{layer}.{name}"].shape)
    h = tape.layers[-1].states[:, : x.network.hidden]
    return out | {"W_hy": np.einsum("ton,thn->oh", tape.dy, h) / B, "b_y": tape.dy.sum(axis=(0, 2)) / B}


def edges(x: Experiment, starts: Array | list[int], h: float = 0.0, c: float = 0.0) -> Array:
    """Returns keep (T, S) for windows that start at these steps: what passes there of h and of c."""
    keep = np.ones((len(x.data.counts), x.network.state))
    inner = np.asarray([start for start in starts if start > 0], np.int64)
    keep[inner, : x.network.hidden] = h
    keep[inner, x.network.hidden :] = c
    return keep


def windows(k: int, steps: int = T) -> Array:
    """Returns the first steps of windows of k."""
    return np.arange(0, steps, k)


def tape_bytes(tape: Tape) -> int:
    """Returns the bytes that a tape keeps for the backward pass."""
    layers = [array.nbytes for kept in tape.layers for array in (kept.xs, kept.pre, kept.act, kept.extra, kept.states)]
    return sum(layers) + tape.losses.nbytes + tape.dy.nbytes


def flat(blocks: Params) -> Array:
    """Returns all blocks as one vector."""
    return np.concatenate([block.ravel() for block in blocks.values()])
