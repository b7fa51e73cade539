"""The checker is checked: a wrong rule must fail its certificate, also where the gradient is 1e-30."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine import certify, parse
from engine.backprop import Gradients, backprop
from engine.cells.gru import GRU
from engine.cells.gru_reset_before import GRUResetBefore
from engine.cells.lstm import LSTM
from engine.cells.rnn import RNN
from engine.certify import TOLERANCE, certificate
from engine.config import Config
from engine.experiment import prepare
from engine.traces import Certificate
from engine.truncation import Plan, full_plan, plan_of
from engine.unroll import unroll
from tests.engine.setups import CELL_OPTIONS

CLASSES = {"rnn": RNN, "lstm": LSTM, "gru": GRU, "gru-reset-before": GRUResetBefore}
ORDINARY = {"style": "window", "k": 6, "steps": 20, "hidden": 5, "batch": 2}
TINY = {"style": "full", "steps": 60, "hidden": 5, "batch": 2, "gain": 0.2, "loss_at": "last", "forget_bias": -1.0}
Factors = Callable[[np.ndarray, int], None]


def scale(rows: int, by: float) -> Factors:
    """Returns a rule that multiplies one group of H rows of the elementwise derivatives."""
    def wrong(f: np.ndarray, H: int) -> None:
        f[:, rows * H : (rows + 1) * H] *= by
    return wrong


def swap(a: int, b: int) -> Factors:
    """Returns a rule that takes one gate's derivative for another's."""
    def wrong(f: np.ndarray, H: int) -> None:
        first, second = slice(a * H, (a + 1) * H), slice(b * H, (b + 1) * H)
        f[:, first], f[:, second] = f[:, second].copy(), f[:, first].copy()
    return wrong


GROUPS = {"rnn": 1, "lstm": 6, "gru": 5, "gru-reset-before": 5}
OFF = [(cell, f"group {g} off by 0.1 %", scale(g, 1.001)) for cell, n in GROUPS.items() for g in range(n)]
DROPPED = [(cell, f"group {g} dropped", scale(g, 0.0)) for cell, n in GROUPS.items() for g in range(n)]
SWAPPED = [("lstm", "i and f swapped", swap(0, 1)), ("lstm", "g and o swapped", swap(2, 3)),
           ("gru", "r and z swapped", swap(0, 1)), ("gru-reset-before", "r and z swapped", swap(3, 4))]
RULES = [pytest.param(cell, rule, id=f"{cell}: {name}") for cell, name, rule in OFF + DROPPED + SWAPPED]


@pytest.mark.parametrize("options", [ORDINARY, TINY], ids=["ordinary", "tiny"])
@pytest.mark.parametrize(("cell", "rule"), RULES)
def test_a_wrong_derivative_is_caught(monkeypatch: pytest.MonkeyPatch, cell: str, rule: Factors,
                                      options: dict[str, object]) -> None:
    right = CLASSES[cell].factors

    def factors(self: object, tape: object, out: np.ndarray) -> None:
        right(self, tape, out)
        rule(out, out.shape[1] // GROUPS[cell])

    monkeypatch.setattr(CLASSES[cell], "factors", factors)
    assert_caught(*certify(parse(CELL_OPTIONS[cell] | options)))


def without_forgetting(self: object, w: dict, *views: np.ndarray) -> None:
    """The LSTM without the cell's highway: dc_prev = dc * f, the last of the views, forgotten."""
    RIGHT[LSTM](self, w, *views)
    views[-1].fill(0.0)


def without_recurrence(kind: type) -> Callable:
    """Returns a backward step that forgets W_hh^T."""
    def back(self: object, w: dict, *views: np.ndarray) -> None:
        RIGHT[kind](self, {**w, **{name: np.zeros_like(w[name]) for name in ("W_hh", "W_hh.T")}}, *views)
    return back


def untransposed(self: object, w: dict, *views: np.ndarray) -> None:
    """The plain cell with W_hh where its transpose belongs."""
    RIGHT[RNN](self, {**w, "W_hh.T": w["W_hh"]}, *views)


RIGHT = {kind: kind.back for kind in CLASSES.values()}
BACKWARDS = [("lstm", without_forgetting), ("rnn", untransposed),
             *((cell, without_recurrence(kind)) for cell, kind in CLASSES.items())]


@pytest.mark.parametrize("options", [ORDINARY, TINY], ids=["ordinary", "tiny"])
@pytest.mark.parametrize(("cell", "back"), BACKWARDS)
def test_a_wrong_backward_step_is_caught(monkeypatch: pytest.MonkeyPatch, cell: str, back: Callable,
                                         options: dict[str, object]) -> None:
    monkeypatch.setattr(CLASSES[cell], "back", back)
    assert_caught(*certify(parse(CELL_OPTIONS[cell] | options)))


def test_a_gru_that_forgets_one_minus_z_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """dn = dh' * tanh', without the factor 1 - z."""
    right = GRU.factors

    def factors(self: GRU, tape: object, out: np.ndarray) -> None:
        right(self, tape, out)
        H = out.shape[1] // 5
        for rows in (slice(0, H), slice(2 * H, 4 * H)):
            out[:, rows] /= 1.0 - tape.act[:, H : 2 * H].repeat(2 if rows.start else 1, axis=1)

    monkeypatch.setattr(GRU, "factors", factors)
    assert_caught(*certify(parse({"cell": "gru", **ORDINARY})))


def assert_caught(truncated: Certificate, full: Certificate) -> None:
    for found in (truncated, full):
        assert found.status == "failed", found
        assert found.worst > 1e-6


def shifted(plan: Plan) -> Plan:
    """The plan with every cut one step too late."""
    edge = plan.edge.copy()
    edge[1:-1] = plan.edge[2:]
    return replace(plan, edge=edge)


def one_step_less(plan: Plan) -> Plan:
    """The plan with every cut one step too early."""
    edge = plan.edge.copy()
    edge[2:] = plan.edge[1:-1]
    return replace(plan, edge=edge)


STYLES = [{"style": "window", "k": 6}, {"style": "sliding", "k": 6}, {"style": "k1k2", "k1": 3, "k2": 7}]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style["style"])
@pytest.mark.parametrize("wrong", [shifted, one_step_less])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_a_window_that_is_off_by_one_in_the_backward_sweep_is_caught(
        cell: str, wrong: Callable[[Plan], Plan], style: dict[str, object]) -> None:
    config = parse(CELL_OPTIONS[cell] | ORDINARY | style)
    plan = plan_of(config)
    assert certificate_of(config, plan, plan).status == "passed"
    assert certificate_of(config, wrong(plan), plan).status == "failed"


def certificate_of(config: Config, used: Plan, stated: Plan,
                   change: Callable[[Gradients], Gradients] = lambda found: found) -> Certificate:
    """Returns the certificate of a stated plan for what the sweep found with the plan that it used."""
    x = prepare(config)
    tape = unroll(x.network, x.params, x.data, stated.reset)
    found = change(backprop(x.network, x.params, tape, used))
    return certificate(x.network, x.params, x.data, tape, stated, found, np.random.default_rng(0))


@pytest.mark.parametrize("block", ["l0.W_ih", "l0.W_hh", "l0.b", "W_hy", "b_y", "E"])
def test_one_wrong_block_is_caught_and_named(block: str) -> None:
    config = parse({**ORDINARY, "embedding": 3})
    found = certificate_of(config, plan_of(config), plan_of(config), lambda g: replace(
        g, blocks={**g.blocks, block: g.blocks[block] * (1 + 1e-9)}))
    assert found.status == "failed"
    assert [check.block for check in found.blocks if check.relative_error > TOLERANCE] == [block]


@pytest.mark.parametrize("by", [0.0, 1.001, 2.0, -1.0])
def test_a_gradient_of_1e_minus_30_is_checked_relatively(by: float) -> None:
    """A vanishing network, the loss at its end alone: the initial state's gradient is about 1e-30."""
    config = parse({"cell": "rnn", "style": "full", "steps": 40, "hidden": 6, "gain": 0.25, "init": "orthogonal",
                    "loss_at": "last"})
    plan = full_plan(40)
    sizes: list[float] = []

    def change(g: Gradients) -> Gradients:
        sizes.append(float(np.linalg.norm(g.initial[0])))
        return replace(g, initial=tuple(by * layer for layer in g.initial))

    assert certificate_of(config, plan, plan).status == "passed"
    assert certificate_of(config, plan, plan, change).status == "failed"
    assert 1e-36 < sizes[0] < 1e-24


def test_a_tape_that_is_not_the_networks_run_is_caught() -> None:
    """The certificate leans on the tape's states; so it also says how far one step of the network is from them."""
    config = parse(ORDINARY)
    x, plan = prepare(config), plan_of(config)
    tape = unroll(x.network, x.params, x.data, plan.reset)
    tape.layers[0].states[7] += 1e-9
    found = backprop(x.network, x.params, tape, plan)
    verdict = certificate(x.network, x.params, x.data, tape, plan, found, np.random.default_rng(0))
    assert verdict.status == "failed"
    assert "does not hold" in verdict.note


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("block", ["l0.W_hh", "b_y"])
def test_what_is_not_finite_is_never_certified(value: float, block: str) -> None:
    config = parse(ORDINARY)

    def change(g: Gradients) -> Gradients:
        spoilt = g.blocks[block].copy()
        spoilt.flat[0] = value
        return replace(g, blocks={**g.blocks, block: spoilt})

    found = certificate_of(config, plan_of(config), plan_of(config), change)
    assert found.status == "nonfinite"
    assert not np.isfinite(found.worst)
