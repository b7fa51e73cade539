"""All diagnostics over wide configs: they are computed, and no nan, inf or minus zero stands in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings

from engine import Analysis, Given, analyze, parse
from engine.analysis import DIAGNOSTICS, INCLUDES
from tests.engine.setups import CELL_OPTIONS
from tests.engine.test_words import OPTIONS, check

ALL = frozenset({*DIAGNOSTICS, "draws"})


def sentences(found: Analysis) -> list[str]:
    parts = [getattr(found, name) for name in sorted(ALL)]
    return [part.sentence for part in parts if part is not None]


@settings(max_examples=12)
@given(options=OPTIONS)
@example(options={"steps": 2, "hidden": 1, "batch": 1, "loss_at": "last"})
@example(options={"steps": 2, "hidden": 1, "batch": 1, "gain": 0.0, "layers": 3})
@example(options={"steps": 400, "gain": 0.01, "hidden": 3, "batch": 1, "loss_at": "last"})
@example(options={"steps": 900, "gain": 9.0, "init": "orthogonal", "hidden": 12, "batch": 1, "task": "series"})
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_sentences_read_well_whatever_the_config(cell: str, options: dict[str, object]) -> None:
    found = analyze(parse({**options, **CELL_OPTIONS[cell], "style": "random", "p": 0.2}), include=ALL, certify=False)
    said = sentences(found)
    assert len(said) == (5 if cell != "rnn" else 4)
    for sentence in said:
        assert sentence
        check(sentence)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e155, 1e308])
@pytest.mark.parametrize("what", ["W_hy", "l0.W_hh", "l0.W_ih", "l0.b"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_sentences_about_tiny_and_huge_numbers(cell: str, what: str, size: float) -> None:
    config = parse({"cell": cell, "hidden": 3, "batch": 2, "steps": 12, "task": "series", "style": "random"})
    shape = analyze(config, include=frozenset({"weights"}), certify=False).weights[what].shape
    weights = {what: size * np.random.default_rng(0).choice([-1.0, 1.0], size=shape)}
    for sentence in sentences(analyze(config, Given(weights=weights), ALL, certify=False)):
        check(sentence)


def test_what_is_not_asked_for_is_not_there() -> None:
    config = parse({"hidden": 3, "batch": 2, "steps": 12, "style": "random"})
    for name in ALL:
        found = analyze(config, include=frozenset({name}), certify=False)
        assert {other for other in ALL if getattr(found, other) is not None} == {name}
    assert set(INCLUDES) >= ALL


@pytest.mark.parametrize("style", ["full", "window", "random"])
def test_diagnostics_are_about_full_bptt_whatever_the_style(style: str) -> None:
    options = {"hidden": 3, "batch": 2, "steps": 12, "value": "reset"}
    found = analyze(parse({**options, "style": style}), include=ALL, certify=False)
    plain = analyze(parse(options), include=ALL, certify=False)
    assert np.array_equal(found.bias_curve.sliding, plain.bias_curve.sliding)
    assert found.paths.sentence == plain.paths.sentence
    assert found.spectrum.sentence == plain.spectrum.sentence
    assert found.gates.sentence == plain.gates.sentence
