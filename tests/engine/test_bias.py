"""The bias curve: shares, window(k), the smallest k, the half-life; at any scale of the gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import Given, analyze, parse
from engine.arrays import quiet_single_thread
from engine.bias import bias_curve, first_k, half_life
from engine.reference import reference
from tests.engine.setups import CELL_OPTIONS, relative

SMALL = {"hidden": 4, "batch": 3, "steps": 14}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_shares_sum_to_one(cell: str, layers: int) -> None:
    kept = reference(parse(SMALL | CELL_OPTIONS[cell] | {"layers": layers}))
    found = bias_curve(kept)
    assert found.share_by_lag.sum() + found.readout_share == pytest.approx(1, abs=1e-13)
    full = kept.gradients.blocks
    of_readout = sum(np.square(full[name]).sum() for name in ("W_hy", "b_y"))
    assert found.readout_share == pytest.approx(of_readout / sum(np.square(b).sum() for b in full.values()), rel=1e-12)


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_shares_are_what_one_step_more_keeps(cell: str) -> None:
    options = SMALL | CELL_OPTIONS[cell]
    kept = reference(parse(options))
    found = bias_curve(kept)
    share = [analyze(parse(options | {"style": "sliding", "k": k}), certify=False, kept=kept).costs.whole.kept
             for k in range(1, 15)]
    assert relative(found.share_by_lag[1:], np.diff(share)) <= 1e-11
    assert found.share_by_lag[0] + found.readout_share == pytest.approx(share[0], rel=1e-12)


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_the_window_curve_is_a_run_for_each_k(cell: str) -> None:
    options = SMALL | CELL_OPTIONS[cell]
    found = bias_curve(reference(parse(options)))
    assert found.window_k[[0, -1]].tolist() == [1, 14]
    assert (np.diff(found.window_k) > 0).all()
    for k, error in zip(found.window_k, found.window, strict=True):
        costs = analyze(parse(options | {"style": "window", "k": int(k)}), certify=False).costs
        assert error == pytest.approx(costs.whole.relative_error, abs=1e-13)
    assert found.window[0] == pytest.approx(found.sliding[0], abs=1e-13), "both have k = 1"


def test_many_steps_have_a_selection_of_windows() -> None:
    found = bias_curve(reference(parse({"cell": "rnn", "hidden": 2, "batch": 1, "steps": 300, "task": "series"})))
    assert len(found.window_k) <= 24
    assert found.window_k[-1] == 300
    assert len(found.sliding) == 300


def test_the_smallest_k() -> None:
    errors = np.array([0.5, 0.09, 0.2, 0.05, 0.01, 0.002, 0.0])
    assert first_k(errors, 0.1) == 4, "an error that rises again does not count"
    assert [first_k(errors, level) for level in (0.5, 0.2, 0.01, 0.001, 0.0)] == [1, 2, 5, 7, 7]
    assert first_k(np.zeros(3), 0.1) == 1
    assert first_k(np.full(3, np.nan), 0.1) == 3


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_the_smallest_k_holds_from_there_on(cell: str) -> None:
    found = bias_curve(reference(parse(CELL_OPTIONS[cell] | {"hidden": 8, "batch": 2, "steps": 40})))
    assert list(found.smallest_k) == ["0.1", "0.01", "0.001"]
    for level, k in found.smallest_k.items():
        assert (found.sliding[k - 1 :] <= float(level)).all()
        assert k == 1 or found.sliding[k - 2] > float(level)
    assert f"sliding({found.smallest_k['0.01']}) is within 1 %" in found.sentence


def test_half_lives() -> None:
    assert half_life(np.array([2.0, 1.5, 1.0, 3.0])) == 2
    assert half_life(np.array([2.0, 1.5, 1.1, np.nan])) == -1
    assert half_life(np.zeros(3)) == -1


def test_a_gradient_that_keeps_its_size_has_no_half_life() -> None:
    """Fewer losses have the long lags; the mean is over those alone, or it would halve by itself at T/2."""
    H = 4
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(H, H)))[0]
    weights = {"l0.W_hh": turn, "l0.W_ih": np.zeros((H, 1)), "l0.b": np.zeros(H)}
    kept = reference(parse({"cell": "rnn", "hidden": H, "batch": 1, "steps": 30, "task": "series"}),
                     Given(weights=weights, targets=np.ones((30, 1, 1))))
    with quiet_single_thread():  # W_hh has no gradient: its input is 0
        found = bias_curve(kept)
    assert np.isnan(found.sliding_blocks["l0.W_hh"]).all()
    assert np.allclose(found.norm_by_lag, found.norm_by_lag[0], rtol=1e-12)
    assert found.half_life == -1
    assert "never falls to half" in found.sentence
    assert found.adaptive.beta == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_curve_does_not_depend_on_the_gradients_size(scale: float) -> None:
    """A loss in other units has the same curve; the squares of its gradient are out of range."""
    kept = reference(parse(SMALL | {"cell": "gru"}))
    plain = bias_curve(kept)
    scaled = reference(parse(SMALL | {"cell": "gru"}))
    scaled.tape.dy[...] *= scale
    with quiet_single_thread():
        found = bias_curve(replace(scaled))
    for name in ("sliding", "window", "share_by_lag"):
        assert np.allclose(getattr(found, name), getattr(plain, name), rtol=1e-10, atol=1e-13), name
    assert found.adaptive.beta == pytest.approx(plain.adaptive.beta, rel=1e-10)
    assert np.allclose(found.adaptive.bound, plain.adaptive.bound, rtol=1e-9)
    assert found.half_life == plain.half_life


def test_nothing_to_be_held_against() -> None:
    kept = reference(parse(SMALL | {"cell": "rnn", "task": "series"}))
    kept.tape.dy[...] = 0
    with quiet_single_thread():
        found = bias_curve(kept)
    assert np.isnan(found.sliding).all()
    assert "zero or not finite" in found.sentence
