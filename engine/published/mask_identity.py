"""Every truncation is a weighted sum of the same terms: the engine's sweeps beside masked sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Array, Params
from engine.backprop import backprop
from engine.cells.base import Terms
from engine.config import Config, parse
from engine.experiment import Experiment, prepare
from engine.published.result import About, Check, Picture, Published, Source, check, published, series
from engine.symbols import columns_of
from engine.truncation import Plan, full_plan, plan_of, weights
from engine.unroll import Tape, unroll

ABOUT = About(
    "mask_identity", "Truncation is a mask on one matrix of gradients",
    Source("R. J. Williams, J. Peng", 1990, "An efficient gradient-based algorithm for on-line training of recurrent "
           "network trajectories", "https://doi.org/10.1162/neco.1990.2.4.490"),
    "BPTT(h; h') takes the losses of h' steps and sends them back h steps. Written out: with G[s, t] the gradient of "
    "the loss at s with respect to the weights used at t, each style is a sum of w[s, t] G[s, t] with weights 0 or "
    "1, so that windows of k steps let a share (k - l) / k of the losses through at lag l: a triangle, not "
    "k steps back.")

CELLS: tuple[dict[str, object], ...] = (
    {"cell": "rnn"}, {"cell": "lstm"}, {"cell": "gru"}, {"cell": "gru", "reset_after": False})
T, K, K1 = 24, 6, 3
STYLES: dict[str, dict[str, object]] = {
    "full": {"style": "full"}, f"window({K})": {"style": "window", "k": K},
    f"sliding({K})": {"style": "sliding", "k": K}, f"k1k2({K1}, {K})": {"style": "k1k2", "k1": K1, "k2": K}}


def compute() -> Published:
    """Returns the identity's largest errors over all cells, and the tapers' over all lags."""
    errors = dict.fromkeys((*STYLES, "phases"), 0.0)
    for cell in CELLS:
        for name, error in _errors(cell).items():
            errors[name] = max(errors[name], error)
    checks = [check(f"{name}: masked sum of G beside the sweep, largest relative difference", 0, errors[name], 1e-12)
              for name in STYLES]
    checks += [_taper_check(name) for name in STYLES]
    checks.append(check(f"window({K}), mean over its {K} phases, beside the triangle, largest relative difference", 0,
                        errors["phases"], 1e-12))
    return published(
        ABOUT, f"G[s, t] of four cells (plain RNN, LSTM, both forms of the GRU) over {T} steps, from one sweep per "
        "loss; its masked sums beside what the engine's one sweep gives for each style, in every parameter "
        "block.", checks,
        f"A window of {K} steps is not {K} steps of memory: only one loss in {K} gets that far back, and at lag "
        f"{K // 2} half of them are lost. A sliding window of {K} gives every loss its {K} steps.", _picture())


def _config(cell: dict[str, object], style: dict[str, object]) -> Config:
    return parse({"hidden": 4, "batch": 2, "steps": T, "task": "copy", "lag": 1, "seed": 3, **cell, **style})


def _errors(cell: dict[str, object]) -> dict[str, float]:
    """Returns, by style, the largest relative difference over a cell's blocks."""
    x = prepare(_config(cell, {"style": "full"}))
    tape = unroll(x.network, x.params, x.data, np.zeros(T, bool))
    G = credits(x, tape)
    out = {}
    for name, style in STYLES.items():
        plan = plan_of(_config(cell, style))
        out[name] = _distance(masked(G, weights(plan)), backprop(x.network, x.params, tape, plan).blocks)
    swept = [backprop(x.network, x.params, tape, phase_plan(p)).blocks for p in range(K)]
    mean = {name: np.mean([blocks[name] for blocks in swept], axis=0) for name in G}
    lags = np.subtract.outer(np.arange(T), np.arange(T))
    triangle = np.where(lags >= 0, np.maximum(0, K - lags) / K, 0.0)
    return out | {"phases": _distance(masked(G, triangle), mean)}


def credits(x: Experiment, tape: Tape) -> Params:
    """Returns, per block, G (T, T, ...): dL_s/dtheta_t, each row from a sweep in which only the loss at s counts."""
    rows: dict[str, list[Array]] = {name: [] for name in x.params}
    for s in range(T):
        dy = np.zeros_like(tape.dy)
        dy[s] = tape.dy[s]
        terms = backprop(x.network, x.params, replace(tape, dy=dy), full_plan(T)).terms
        for name, steps in _per_step(terms, x.params).items():
            rows[name].append(steps.reshape(T, *x.params[name].shape) / tape.dy.shape[2])
    return {name: np.stack(found) for name, found in rows.items()}


def _per_step(terms: Terms, params: Params) -> Params:
    """Returns, per block, each step's own term of the gradient, (T, P, Q)."""
    return {name: np.concatenate([np.einsum("tpn,tqn->tpq", left, columns_of(right, params[name].shape[-1]))
                                  for left, right in pairs], axis=1)
            for name, pairs in terms.items()}


def masked(G: Params, w: Array) -> Params:
    """Returns, per block, the sum over s and t of w[s, t] G[s, t]."""
    return {name: np.tensordot(w, block, 2) for name, block in G.items()}


def _distance(p: Params, q: Params) -> float:
    """Returns the largest over the blocks of |p - q| / |q|."""
    return max(float(np.linalg.norm(p[name] - q[name]) / np.linalg.norm(q[name])) for name in q)


def phase_plan(phase: int) -> Plan:
    """Returns windows of K steps whose edges lie before the steps phase, phase + K, ..."""
    edge = np.ones((T, 1))
    starts = np.arange(phase, T, K)
    edge[starts[starts > 0]] = 0.0
    windows = np.unique(np.append(0, starts))
    return Plan(f"window({K}), phase {phase}", windows, np.zeros(T, bool), np.ones((T, 1)), edge)


def taper_of(name: str) -> Array:
    """Returns (K + 2,): per lag, the mean weight over the last window's losses, from the plan's own weights."""
    w = weights(plan_of(_config({"cell": "rnn"}, STYLES[name])))
    return np.array([np.mean([w[s, s - lag] for s in range(T - K, T)]) for lag in range(K + 2)])


def formula(name: str) -> Array:
    """Returns (K + 2,): what the taper should be."""
    lags = np.arange(K + 2)
    return {"full": np.ones(K + 2), f"window({K})": np.maximum(0, (K - lags) / K),
            f"sliding({K})": (lags < K) * 1.0, f"k1k2({K1}, {K})": np.clip((K - lags) / K1, 0, 1)}[name]


def _taper_check(name: str) -> Check:
    difference = float(np.abs(taper_of(name) - formula(name)).max())
    return check(f"{name}: taper beside its formula, largest difference over the lags", 0, difference, 1e-15)


def _picture() -> Picture:
    lags = np.arange(K + 2)
    lines = (series("full", lags, taper_of("full"), "full"),
             series(f"window({K})", lags, taper_of(f"window({K})"), "truncated"),
             series(f"sliding({K})", lags, taper_of(f"sliding({K})"), "value"),
             series(f"k1k2({K1}, {K})", lags, taper_of(f"k1k2({K1}, {K})"), "ink"))
    return Picture("Share of the losses whose gradient gets that far back", "lag (steps)", "share", False, lines)
