"""ARTBP: cuts drawn at random, reweighted so that their mean is the full gradient."""

from __future__ import annotations

from itertools import product

import numpy as np

from engine.arrays import Array, Params
from engine.backprop import backprop
from engine.config import parse
from engine.experiment import Experiment, prepare
from engine.published.result import About, Picture, Published, Source, check, published, series
from engine.truncation import Plan, full_plan, weights
from engine.unroll import Tape, unroll

ABOUT = About(
    "artbp", "Random truncation is unbiased",
    Source("C. Tallec, Y. Ollivier", 2017, "Unbiasing truncated backpropagation through time",
           "https://arxiv.org/abs/1705.08209"),
    "Cut each edge with probability c_t, and where it is not cut divide what crosses it by 1 - c_t: the gradient's "
    "mean is that of full BPTT. The price is spread: for a constant c, the second moment of a weight at lag l is "
    "(1 - c)^-l.")
T, SWEPT, C = 12, 8, 0.3
VARIED = np.linspace(0.05, 0.6, T)


def compute() -> Published:
    """Returns the mean over all cut patterns, each with its probability, beside the full gradient."""
    checks = []
    for cell in ("rnn", "lstm", "gru"):
        x = prepare(parse({"cell": cell, "hidden": 3, "batch": 1, "steps": T, "task": "copy", "lag": 1}))
        tape = unroll(x.network, x.params, x.data, np.zeros(T, bool))
        name = f"{cell}, c_t from {VARIED[0]:g} to {VARIED[-1]:g}: mean beside full, relative difference"
        checks.append(check(name, 0, _bias(x, tape, all_at_once(VARIED)), 1e-12))
    patterns = list(product((0, 1), repeat=T - 1))
    each = f"rnn, c = {C:g}, {SWEPT} steps, a sweep for each pattern: mean beside full, relative difference"
    checks.append(check(each, 0, _one_by_one(SWEPT), 1e-12))
    moments = second_moments(np.full(T, C))
    expected = (1 - C) ** -np.arange(T)
    checks.append(check(f"c = {C:g}: second moment beside (1 - c)^-lag, largest relative difference", 0,
                        float(np.abs(moments / expected - 1).max()), 1e-12))
    return published(
        ABOUT, f"All {len(patterns):,} cut patterns of {T} steps, with their probabilities, in one sweep: each "
        "pattern is a track of one plan, its losses weighted by its probability. For 8 steps, each of the 128 "
        "patterns was also swept by itself.", checks,
        f"Each draw is off, and their mean is exactly right. At lag {T - 1} and c = {C:g}, a weight that is 1 on "
        f"average has second moment {moments[-1]:.0f}: unbiased is not the same as precise.", _picture(moments))


def patterns_of(c: Array) -> tuple[Array, Array]:
    """Returns the edge weights (T, P) of all cut patterns, and their probabilities (P,). The edge before the
    first step leads to the initial state and is never cut."""
    kept = np.array(list(product((0.0, 1.0), repeat=len(c) - 1))).T
    p = c[1:, None]
    edge = np.concatenate([np.ones((1, kept.shape[1])), kept / (1 - p)])
    return edge, np.prod(np.where(kept > 0, 1 - p, p), axis=0)


def all_at_once(c: Array) -> Plan:
    """Returns one plan whose tracks are all cut patterns; its gradient is their mean."""
    edge, chance = patterns_of(c)
    return Plan("random, all patterns", np.zeros(1, np.int64), np.zeros(len(c), bool),
                np.tile(chance, (len(c), 1)), edge)


def _bias(x: Experiment, tape: Tape, plan: Plan) -> float:
    mean = backprop(x.network, x.params, tape, plan).blocks
    return _distance(mean, backprop(x.network, x.params, tape, full_plan(plan.steps)).blocks)


def _one_by_one(steps: int) -> float:
    """Returns how far the mean over patterns is from full, relatively, with a sweep for each pattern."""
    x = prepare(parse({"cell": "rnn", "hidden": 3, "batch": 1, "steps": steps, "task": "copy", "lag": 1}))
    tape, full = unroll(x.network, x.params, x.data, np.zeros(steps, bool)), full_plan(steps)
    edge, chance = patterns_of(np.full(steps, C))
    mean: Params = {name: np.zeros_like(block) for name, block in x.params.items()}
    for column, probability in zip(edge.T, chance, strict=True):
        plan = Plan("random", full.starts, full.reset, full.inject, column[:, None])
        for name, block in backprop(x.network, x.params, tape, plan).blocks.items():
            mean[name] += probability * block
    return _distance(mean, backprop(x.network, x.params, tape, full).blocks)


def _distance(p: Params, q: Params) -> float:
    """Returns the largest over the blocks of |p - q| / |q|."""
    return max(float(np.linalg.norm(p[name] - q[name]) / np.linalg.norm(q[name])) for name in q)


def second_moments(c: Array) -> Array:
    """Returns (T,): per lag, the mean over all patterns of the squared weight of the last loss."""
    edge, chance = patterns_of(c)
    steps = len(c)
    squares = Plan("", np.zeros(1, np.int64), np.zeros(steps, bool), np.tile(chance, (steps, 1)), np.square(edge))
    return np.asarray(weights(squares)[-1, ::-1])


def _picture(moments: Array) -> Picture:
    lags = np.arange(T)
    return Picture(f"Second moment of a weight, c = {C:g}", "lag (steps)", "mean of w^2", True, (
        series("all patterns", lags, moments, "truncated", points=True),
        series("(1 - c)^-lag", lags, (1 - C) ** -lags, "full")))
