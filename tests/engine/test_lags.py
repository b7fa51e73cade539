"""The sweep over lags beside a run of sliding(k) for every k, and beside the credit matrix."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine import Config, analyze, parse
from engine.arrays import quiet_single_thread
from engine.backprop import backprop
from engine.bias import bias_curve
from engine.diagnostics import BiasCurve
from engine.lags import by_lag, inputs_used
from engine.reference import Reference, reference
from engine.truncation import plan_of
from tests.engine.setups import CELL_OPTIONS, relative

T = 9
SMALL = {"hidden": 3, "batch": 2, "steps": T, "gain": 1.5}
DATA = {"one-hot": {"task": "text"}, "embedding": {"task": "copy", "lag": 2, "embedding": 4},
        "one value": {"task": "series"}, "last": {"task": "adding", "loss_at": "last"}}


@cache
def run(cell: str, layers: int, data: str) -> tuple[Reference, BiasCurve]:
    kept = reference(parse(SMALL | CELL_OPTIONS[cell] | {"layers": layers} | DATA[data]))
    with quiet_single_thread():
        return kept, bias_curve(kept)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_the_errors_are_those_of_a_run_for_every_k(cell: str, layers: int, data: str) -> None:
    kept, found = run(cell, layers, data)
    options = SMALL | CELL_OPTIONS[cell] | {"layers": layers} | DATA[data]
    assert set(found.sliding_blocks) == set(kept.gradients.blocks) - {"W_hy", "b_y"}
    for k in range(1, T + 1):
        costs = analyze(parse(options | {"style": "sliding", "k": k}), certify=False, kept=kept).costs
        assert found.sliding[k - 1] == pytest.approx(costs.whole.relative_error, abs=1e-13)
        for name, errors in found.sliding_blocks.items():
            assert errors[k - 1] == pytest.approx(costs.blocks[name].relative_error, abs=1e-13), (name, k)
    assert costs.blocks["W_hy"].relative_error == costs.blocks["b_y"].relative_error == 0


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_each_lag_is_the_difference_of_two_runs(cell: str, data: str) -> None:
    kept, _ = run(cell, 2, data)
    x, used = kept.x, inputs_used(kept.tape)
    plans = [plan_of(Config(steps=T, style="sliding", k=k)) for k in range(1, T + 1)]
    runs = [backprop(x.network, x.params, kept.tape, plan).blocks for plan in plans]
    for lag, part in enumerate(by_lag(x.network, x.params, kept.tape, x.data.counts)):
        for name, block in part.blocks.items():
            truth = runs[lag][name] - (runs[lag - 1][name] if lag else 0)
            truth = truth[:, used] if name == "l0.W_ih" else truth
            size = np.linalg.norm(runs[-1][name])
            assert np.linalg.norm(block - truth) <= 1e-14 * T * size, (name, lag)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_norms_are_the_means_of_the_credit_matrix_diagonals(cell: str, layers: int, data: str) -> None:
    kept, found = run(cell, layers, data)
    credit = kept.credit
    for lag in range(T):
        entries = [credit.h[row, s - lag] for row, s in enumerate(credit.loss_steps) if s >= lag]
        assert found.norm_by_lag[lag] == pytest.approx(np.mean(entries), rel=1e-12)


def test_no_loss_stands_so_late() -> None:
    """A lag that no loss has brings nothing, and its mean is of nothing."""
    kept = reference(parse(SMALL | {"cell": "rnn", "task": "series"}))
    x, counts = kept.x, np.arange(T) < 4
    kept.tape.dy[4:] = 0
    lags = list(by_lag(x.network, x.params, kept.tape, counts))
    assert [bool(np.isnan(lag.norm)) for lag in lags] == [lag >= 4 for lag in range(T)]
    assert all((block == 0).all() for lag in lags[4:] for block in lag.blocks.values())


def test_the_state_has_c_beside_h() -> None:
    """With W_hh = 0 an LSTM's gradient goes back through c alone."""
    kept = reference(parse(SMALL | {"cell": "lstm", "task": "series", "gain": 0}))
    lags = list(by_lag(kept.x.network, kept.x.params, kept.tape, kept.x.data.counts))
    assert all(lag.norm == 0 < lag.state for lag in lags[1:])
    c, h = kept.credit.c, kept.credit.h
    whole = [np.mean([np.hypot(h[s, s - lag], c[s, s - lag]) for s in range(lag, T)]) for lag in range(T)]
    batch = [lag.state for lag in lags]  # norms per sample, then their mean: not the norm of the two means
    assert relative(np.array(batch), np.array(whole)) <= 0.1
