"""Plans against DESIGN's closed forms: weights, reach, taper, cut edges, and the sum of masked terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arrays import Params
from engine.backprop import Gradients
from engine.config import Config
from engine.truncation import dead_edges, full_plan, plan_of, reach, taper, title_of, weights
from tests.engine.setups import CELL_IDS, CELL_KEYS, Case, Sizes, case, relative

Weight = Callable[[Config, int, int], bool]
CLOSED: dict[str, Weight] = {
    "full": lambda c, s, t: True,
    "window": lambda c, s, t: s // c.k == t // c.k,
    "sliding": lambda c, s, t: s - t < c.k,
    "k1k2": lambda c, s, t: t >= (s // c.k1 + 1) * c.k1 - c.k2,
}
TAPERS: dict[str, Callable[[Config, int], float]] = {
    "full": lambda c, lag: 1.0,
    "window": lambda c, lag: max(0.0, (c.k - lag) / c.k),
    "sliding": lambda c, lag: float(lag < c.k),
    "k1k2": lambda c, lag: float(np.clip((c.k2 - lag) / c.k1, 0, 1)),
}


def closed_form(c: Config) -> np.ndarray:
    """Returns w[s, t] by DESIGN's table, and with resets: nothing crosses a chunk's edge."""
    T = c.steps
    stride = {"full": T, "k1k2": c.k1}.get(c.style, c.k)
    out = np.zeros((T, T))
    for s in range(T):
        for t in range(s + 1):
            passes = c.style == "full" or c.gradient == "pass" or CLOSED[c.style](c, s, t)
            out[s, t] = passes and (c.value == "carry" or c.style == "full" or s // stride == t // stride)
    return out


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Any style on up to 24 steps, its numbers also beyond them."""
    T, k1 = draw(st.integers(2, 24)), draw(st.integers(1, 30))
    return Config(steps=T, style=draw(st.sampled_from(list(CLOSED))), k=draw(st.integers(1, 30)), k1=k1,
                  k2=draw(st.integers(k1, 60)), value=draw(st.sampled_from(["carry", "reset"])),
                  gradient=draw(st.sampled_from(["cut", "pass"])))


@given(configs())
def test_weights_are_the_closed_form(config: Config) -> None:
    assert np.array_equal(weights(plan_of(config)), closed_form(config))


@given(configs())
def test_reach_taper_and_dead_edges_follow_from_the_weights(config: Config) -> None:
    plan, w, T = plan_of(config), closed_form(config), config.steps
    found = reach(plan)
    assert found.tolist() == [int(np.flatnonzero(w[s])[0]) for s in range(T)]
    assert all(w[s, found[s] : s + 1].all() for s in range(T)), "a reach has no holes"
    assert taper(found).tolist() == [np.mean([w[s, s - lag] for s in range(lag, T)]) for lag in range(T)]
    crossed = [t > 0 and not (w[t:, t - 1]).any() for t in range(T)]
    assert dead_edges(found).tolist() == crossed


@pytest.mark.parametrize("config", [
    Config(style="full", steps=24), Config(style="window", k=6, steps=24), Config(style="sliding", k=6, steps=24),
    Config(style="k1k2", k1=3, k2=9, steps=24), Config(style="k1k2", k1=4, k2=4, steps=24)], ids=title_of)
def test_tapers_are_exact_in_the_long_run(config: Config) -> None:
    """On a long sequence, over whole periods away from its start, DESIGN's taper over the lag is exact."""
    long = replace(config, steps=240)
    w = closed_form(long)
    inner = range(24, 240) if config.style == "full" else range(120, 240)
    assert np.array_equal(weights(plan_of(long)), w)
    for lag in range(24):
        assert np.mean([w[s, s - lag] for s in inner]) == pytest.approx(TAPERS[config.style](config, lag), abs=1e-15)


@given(configs())
def test_every_loss_counts_once(config: Config) -> None:
    plan = plan_of(config)
    assert plan.inject.sum(axis=1).tolist() == [1.0] * config.steps
    assert set(plan.edge.ravel()) <= {0.0, 1.0}
    assert plan.starts[0] == 0
    assert plan.steps == config.steps
    assert (plan.edge[0] == 1).all() or plan.reset[0]


def test_titles() -> None:
    assert title_of(Config(style="full")) == "full BPTT"
    assert title_of(Config()) == "window(20), state carried, gradient cut"
    assert title_of(Config(style="k1k2", value="reset", gradient="pass")) == \
        "k1k2(10, 20), state reset, gradient passed"


def single_loss_terms(x: Case, resets: np.ndarray) -> list[Gradients]:
    """Returns, for each loss step alone, the sweep that goes all the way back along the run."""
    T = len(x.data.counts)
    plan = replace(full_plan(T), reset=resets)
    out = []
    for s in range(T):
        alone = replace(x, data=replace(x.data, counts=x.data.counts & (np.arange(T) == s)))
        out.append(alone.gradients(plan))
    return out


def step_terms(found: Gradients, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Returns (T, *shape): each step's term of a block's gradient."""
    parts = [np.einsum("tpn,tqn->tpq", left, right) / left.shape[2] for left, right in found.terms[name]]
    return np.concatenate(parts, axis=1).reshape(-1, *shape)


PLANS = [Config(style="full"), Config(style="window", k=4), Config(style="sliding", k=3),
         Config(style="k1k2", k1=3, k2=7), Config(style="window", k=4, value="reset"),
         Config(style="window", k=5, gradient="pass"), Config(style="sliding", k=3, value="reset"),
         Config(style="k1k2", k1=2, k2=5, value="reset", gradient="pass")]


@pytest.mark.parametrize("config", PLANS, ids=title_of)
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_the_gradient_is_the_masked_sum(cell: tuple[str, bool], config: Config) -> None:
    """sum over s, t of w[s, t] G[s, t], with G from sweeps of one loss each, is what one sweep gives."""
    config = replace(config, steps=11)
    x = case(cell, Sizes(T=11, layers=2))
    plan, w = plan_of(config), closed_form(config)
    alone = single_loss_terms(x, plan.reset)
    found: Params = x.gradients(plan).blocks
    for name, gradient in found.items():
        G = np.stack([step_terms(one, name, gradient.shape) for one in alone])
        assert relative(gradient, np.einsum("st,st...->...", w, G)) <= 1e-12, name
