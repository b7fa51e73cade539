"""Drawn weights: their bounds, orthogonality, gain, forget bias; and the presets that lean on them."""

from __future__ import annotations

import numpy as np
import pytest

from engine import PRESETS, QUESTIONS, Config, analyze, parse
from engine.experiment import prepare
from tests.engine.setups import CELL_OPTIONS


def drawn(**options: object) -> dict[str, np.ndarray]:
    return prepare(parse({"hidden": 25, "steps": 10, **options})).params


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_uniform_weights_fill_their_bounds(cell: str) -> None:
    for name, block in drawn(**CELL_OPTIONS[cell], layers=2, forget_bias=0).items():
        assert np.abs(block).max() <= 0.2, name
        assert np.abs(block).max() > 0.1, name


@pytest.mark.parametrize("gain", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_orthogonal_recurrent_matrices_gate_by_gate(cell: str, gain: float) -> None:
    params = drawn(**CELL_OPTIONS[cell], init="orthogonal", gain=gain, layers=2)
    for layer in (0, 1):
        for U in params[f"l{layer}.W_hh"].reshape(-1, 25, 25):
            assert np.allclose(U @ U.T, gain**2 * np.eye(25), atol=1e-13)


def test_gain_is_for_the_recurrent_matrix_alone() -> None:
    one, three = drawn(), drawn(gain=3)
    for name in one:
        factor = 3 if name.endswith("W_hh") else 1
        assert np.allclose(three[name], factor * one[name], rtol=1e-15)


def test_forget_bias_is_added_to_the_forget_gate_alone() -> None:
    without, with_bias = drawn(forget_bias=0, layers=2), drawn(forget_bias=3, layers=2)
    for name in without:
        difference = with_bias[name] - without[name]
        if name.endswith(".b"):
            assert np.allclose(difference.reshape(4, 25), np.array([[0], [3], [0], [0]]), atol=1e-14)
        else:
            assert not difference.any()


def test_the_embedding_is_standard_normal() -> None:
    E = drawn(embedding=64)["E"]
    assert E.shape[1] == 64
    assert E.std() == pytest.approx(1, abs=0.1)


def test_presets_are_whole_distinct_and_certified() -> None:
    names = [preset.name for preset in PRESETS + QUESTIONS]
    assert len(set(names)) == len(names)
    assert [question.name for question in QUESTIONS] == ["autodiff", "carry", "outputs"]
    for preset in PRESETS + QUESTIONS:
        assert preset.title
        assert preset.help.endswith(".") or preset.help.endswith("10).")
        found = analyze(preset.config, include=frozenset())
        assert found.certificate.status == found.certificate_full.status == "passed", preset.name


def of(name: str) -> Config:
    return next(preset.config for preset in PRESETS if preset.name == name)


def test_presets_show_what_they_promise() -> None:
    vanishing = analyze(of("vanishing"), certify=False).full.h
    assert (vanishing[:-1] <= 0.5 * vanishing[1:] * (1 + 1e-12)).all(), "at least halved at every step back"
    exploding = analyze(of("exploding"), certify=False).full.h
    assert exploding[0] > 1e3 * exploding[-1]
    tutorial = analyze(of("tensorflow-tutorial"), certify=False)
    assert tutorial.plan.window_starts.tolist() == [0, 20, 40]
    lost = analyze(of("out-of-reach"), certify=False).plan
    assert (lost.reach[40:] > np.arange(20)).all(), "no loss reaches the symbol that it needs"
