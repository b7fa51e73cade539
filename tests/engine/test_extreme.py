"""Certificates and gradients where it is hard: exploding, saturated, vanishing, chaotic, large inputs."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from engine import Analysis, Given, analyze, parse
from engine.cells.lstm import LSTM
from engine.traces import Certificate
from tests.engine.setups import CELL_OPTIONS, STYLE_OPTIONS

LIGHT = {"hidden": 12, "batch": 2}
EXPLODING = {"init": "orthogonal", "gain": 2.5, "steps": 200, "task": "series"}
SATURATED = {"gain": 50.0, "steps": 100}
VANISHING = {"gain": 0.05, "steps": 150, "loss_at": "last", "forget_bias": -3.0, "style": "full"}
CLOSED = {"gain": 0.0, "steps": 30, "forget_bias": -20.0}


def assert_certified(*certificates: Certificate) -> None:
    for found in certificates:
        assert found.status == "passed", found
        assert found.worst <= 1e-10
        assert found.checked_losses == found.all_losses


@pytest.mark.parametrize("options", [EXPLODING, SATURATED, VANISHING, CLOSED],
                         ids=["exploding", "saturated", "vanishing", "closed"])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_certified_at_the_extremes(cell: str, options: dict[str, object]) -> None:
    found = analyze(parse(CELL_OPTIONS[cell] | LIGHT | options), include=frozenset())
    assert_certified(found.certificate, found.certificate_full)


@pytest.mark.parametrize("style", STYLE_OPTIONS)
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_an_exploding_network_under_every_style(cell: str, style: str) -> None:
    found = analyze(parse(CELL_OPTIONS[cell] | LIGHT | EXPLODING | STYLE_OPTIONS[style]), include=frozenset())
    assert_certified(found.certificate, found.certificate_full)


def test_a_gradient_of_1e_minus_250_is_still_certified() -> None:
    found = analyze(parse({"cell": "rnn", "gain": 0.05, "hidden": 8, "steps": 150, "batch": 2, "task": "series",
                           "style": "full", "loss_at": "last"}), include=frozenset())
    assert 0 < found.full.h[0] < 1e-230
    assert found.nonfinite.subnormal_step > 100
    assert f"at step {found.nonfinite.subnormal_step}" in found.nonfinite.note
    assert_certified(found.certificate)


@pytest.mark.parametrize("steps", [181, 187, 190, 196, 260])
def test_next_to_the_smallest_double_there_is_no_false_alarm(steps: int) -> None:
    found = analyze(parse({"cell": "rnn", "gain": 0.05, "hidden": 8, "steps": steps, "batch": 2, "task": "series",
                           "style": "full", "loss_at": "last"}), include=frozenset())
    assert_certified(found.certificate)


@pytest.mark.parametrize("size", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_given_weights_and_large_inputs(cell: str, size: float) -> None:
    config = parse(CELL_OPTIONS[cell] | {"hidden": 6, "batch": 3, "steps": 24, "k": 7, "task": "series", "layers": 2})
    rng = np.random.default_rng(1)
    drawn = analyze(config, include=frozenset({"weights"}), certify=False).weights
    found = analyze(config, Given(weights={name: rng.normal(size=block.shape) for name, block in drawn.items()},
                                  inputs=size * rng.normal(size=(24, 3, 1))), frozenset())
    assert_certified(found.certificate, found.certificate_full)


OVERFLOWING = {"cell": "rnn", "gain": 5, "init": "orthogonal", "hidden": 64, "steps": 1500, "batch": 1,
               "task": "series"}


@pytest.fixture(scope="module")
def overflow() -> Analysis:
    """Full BPTT through a chaotic network: past 1e308 before it reaches step 0."""
    return analyze(parse({**OVERFLOWING, "style": "full"}))


def test_an_explosion_to_infinity_is_kept_and_located(overflow: Analysis) -> None:
    step, h = overflow.nonfinite.step, overflow.full.h
    assert step > 0
    assert overflow.nonfinite.quantity == "dL/dh"
    assert np.isfinite(h[step + 1 :]).all()
    assert not np.isfinite(h[: step + 1]).any(), "nothing becomes zero or finite again behind the explosion"
    assert h[step + 1] > 1e200
    assert not np.isfinite(overflow.full.blocks["l0.W_hh"])
    assert np.isfinite(overflow.full.blocks["W_hy"])
    row = overflow.credit.h[-1]
    assert not np.isfinite(row[0])


def test_an_explosion_to_infinity_is_described_and_never_certified(overflow: Analysis) -> None:
    assert f"at step {overflow.nonfinite.step}" in overflow.nonfinite.note
    assert overflow.words.norms == overflow.nonfinite.note
    assert "explodes" in overflow.words.credit
    assert overflow.certificate.status == overflow.certificate_full.status == "nonfinite"
    assert not np.isfinite(overflow.certificate.worst)
    assert "cannot be certified" in overflow.words.certificate


def test_a_window_keeps_what_full_bptt_loses() -> None:
    found = analyze(parse({**OVERFLOWING, "style": "window", "k": 100}), include=frozenset())
    assert np.isfinite(found.truncated.h).all()
    assert found.certificate.status == "passed"
    assert found.certificate_full.status == "nonfinite"
    assert np.isnan(found.costs.whole.kept)
    assert np.isnan(found.costs.whole.cosine)
    assert np.isfinite(found.costs.blocks["b_y"].kept)
    assert found.nonfinite.step >= 0


def test_no_nan_becomes_zero_on_its_way_out() -> None:
    """Where a step's gradient is not finite, so is the sum over steps that it belongs to."""
    found = analyze(parse({**OVERFLOWING, "style": "full"}), include=frozenset({"gradients"}), certify=False)
    for name, terms in found.full.contributions.items():
        assert np.isfinite(terms).all() == np.isfinite(found.full.blocks[name]), name
        assert np.isfinite(found.gradients_full[name]).all() == np.isfinite(found.full.blocks[name]), name


MANY_TRACKS = {"style": "sliding", "k": 15, "steps": 40, "batch": 2, "hidden": 6}


def test_some_tracks_are_drawn_where_all_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["engine.certify"], "MOST_ELEMENTS", 60_000)
    for seed in range(10):
        found = analyze(parse({**MANY_TRACKS, "seed": seed}), include=frozenset())
        check = found.certificate
        assert check.status == "passed"
        assert 0 < check.checked_losses < check.all_losses == 40
        assert f"{check.checked_losses} of the 40 losses" in check.note
        assert check.note in found.words.certificate


def test_a_drawn_part_still_catches_a_wrong_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    right = LSTM.back

    def back(self: LSTM, w: dict, *views: np.ndarray) -> None:
        right(self, w, *views)
        for out in views[-2:]:  # dh and dc of the step before
            out *= 1.001

    monkeypatch.setattr(LSTM, "back", back)
    monkeypatch.setattr(sys.modules["engine.certify"], "MOST_ELEMENTS", 60_000)
    assert analyze(parse(MANY_TRACKS), include=frozenset()).certificate.status == "failed"


def test_analyze_of_the_same_config_with_another_style_shares_the_full_gradient() -> None:
    config = parse({"steps": 30, "k": 8, "hidden": 6, "batch": 2})
    window, whole = (analyze(c, include=frozenset({"gradients"})) for c in (config, replace(config, style="full")))
    for name, gradient in whole.gradients.items():
        assert np.array_equal(gradient, window.gradients_full[name])


HUGE = {"cell": "gru", "hidden": 4, "batch": 2, "steps": 12, "k": 5, "task": "series"}


def test_an_infinite_loss_is_kept_and_located() -> None:
    found = analyze(parse(HUGE), Given(targets=np.full((12, 2, 1), 1e200)))
    assert np.isinf(found.loss.per_step).all()
    assert found.loss.total == found.carry_over.total_carried == np.inf
    assert (found.nonfinite.quantity, found.nonfinite.step) == ("loss", 0)


def test_a_loss_that_is_nan_is_not_left_out_of_the_sum() -> None:
    rng, config = np.random.default_rng(0), parse({**HUGE, "seed": 1})
    rng.choice([-1.0, 1.0], size=(12, 4))
    found = analyze(config, Given(weights={"l0.W_hh": 1.7e308 * rng.choice([-1.0, 1.0], size=(12, 4))}))
    assert np.isnan(found.loss.per_step).any()
    assert np.isnan(found.loss.total)
    assert np.isnan(found.loss.mean)
    assert not np.isfinite(found.carry_over.total_carried)
    assert found.nonfinite.quantity == "state"
    assert found.nonfinite.step == int(np.flatnonzero(np.isnan(found.loss.per_step))[0])
    assert found.certificate.status == "nonfinite"
