"""Certificates where numbers almost cancel: classifiers that are almost sure, gates that are almost shut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Given, analyze, parse
from tests.engine.setups import CELL_OPTIONS
from tests.engine.test_extreme import assert_certified


@pytest.mark.parametrize("top", [0, 5, 20, 30, 36, 40, 100, 300])
def test_a_classifier_that_is_almost_sure_is_certified(top: float) -> None:
    """The loss of a well-trained network: p - 1 has no digits left, the sum of the other classes has them all."""
    config = parse({"task": "copy", "lag": 2, "steps": 12, "k": 5, "hidden": 4, "batch": 2})
    found = analyze(config, Given(weights={"b_y": [top, 0, 0, 0, 0, 0, 0, 0]}, targets=np.zeros((12, 2))))
    assert_certified(found.certificate, found.certificate_full)
    assert found.full.blocks["b_y"] > 0
    assert found.loss.total > 0


SATURATED = st.fixed_dictionaries({
    "hidden": st.integers(1, 12), "batch": st.integers(1, 3), "layers": st.integers(1, 3), "steps": st.integers(2, 16),
    "gain": st.sampled_from([20.0, 50.0, 100.0]), "init": st.sampled_from(["uniform", "orthogonal"]),
    "task": st.sampled_from(["text", "adding", "lagged_bits", "series"]), "k": st.integers(1, 8),
    "loss_at": st.sampled_from(["every", "last"]), "style": st.sampled_from(["full", "window", "sliding"]),
    "seed": st.integers(0, 9999)})


@settings(max_examples=120)
@given(SATURATED, st.sampled_from(list(CELL_OPTIONS)))
def test_saturated_cells_are_certified(options: dict[str, object], cell: str) -> None:
    found = analyze(parse(options | CELL_OPTIONS[cell]), include=frozenset())
    assert_certified(found.certificate, found.certificate_full)


@pytest.mark.parametrize("options", [
    {"hidden": 1, "layers": 1, "steps": 13, "init": "orthogonal", "task": "adding", "style": "full", "seed": 503},
    {"hidden": 1, "layers": 2, "steps": 12, "task": "text", "style": "window", "k": 1, "seed": 648},
    {"hidden": 2, "layers": 3, "steps": 8, "init": "orthogonal", "task": "series", "style": "full", "seed": 291}],
    ids=lambda options: options["task"])
@pytest.mark.parametrize("cell", ["gru", "gru-reset-before"])
def test_a_gru_whose_update_gate_is_almost_shut(cell: str, options: dict[str, object]) -> None:
    """1 - z and h - n both lose their digits in one form of the update or the other."""
    saturated = {"gain": 50, "batch": 2, "loss_at": "last"}
    found = analyze(parse(CELL_OPTIONS[cell] | saturated | options), include=frozenset())
    assert_certified(found.certificate, found.certificate_full)
