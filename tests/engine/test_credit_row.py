"""One row of the credit matrix, and the matrix alone: the same numbers as the whole analysis has."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Config, analyze, credit_matrix, parse, reference, shared_part
from tests.engine.setups import CELL_OPTIONS, STYLE_OPTIONS

SMALL = {"steps": 24, "hidden": 5, "batch": 3, "k": 7, "layers": 2}


@pytest.mark.parametrize("value", ["carry", "reset"])
@pytest.mark.parametrize("style", STYLE_OPTIONS)
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_a_row_is_that_of_the_matrix(cell: str, style: str, value: str) -> None:
    config = parse(SMALL | {"style": style, "value": value} | CELL_OPTIONS[cell])
    matrix, sentence = credit_matrix(config)
    for asked, step in ((None, 23), (11, 11), (900, 23)):
        found = analyze(config, include=frozenset({"row", "credit"}), certify=False, loss=asked)
        assert found.row is not None
        assert found.credit is not None
        assert found.row.loss_step == step
        np.testing.assert_array_equal(found.row.loss_steps, found.credit.loss_steps)
        for row, whole, alone in ((found.row.h, found.credit.h, matrix.h), (found.row.c, found.credit.c, matrix.c)):
            assert (row is None) == (whole is None) == (alone is None)
            if row is not None and whole is not None and alone is not None:
                np.testing.assert_allclose(row, whole[step], rtol=1e-12, atol=0)
                np.testing.assert_array_equal(alone, whole)
        assert sentence == found.words.credit


def test_the_nearest_loss_that_has_a_row_is_answered() -> None:
    config = Config(steps=20, hidden=3, batch=1, task="copy", lag=5)
    found = analyze(config, include=frozenset({"row"}), certify=False, loss=0)
    assert found.row is not None
    assert found.row.loss_step == found.sequence.loss_steps[0] > 0


def test_where_no_state_is_reset_every_truncation_has_the_same_matrix() -> None:
    config = Config(steps=20, hidden=4, batch=2, k=5)
    kept = reference(config)
    one, again = (analyze(config, include=frozenset({"row"}), certify=False, kept=kept).row for _ in range(2))
    assert one is again, "a reference that is kept keeps its row"
    np.testing.assert_array_equal(credit_matrix(config)[0].h, credit_matrix(shared_part(config))[0].h)


def test_the_matrix_of_a_run_that_is_reset_does_without_the_carried_one() -> None:
    for value, needed in (("reset", False), ("carry", True)):
        config = parse(SMALL | {"value": value})
        kept = reference(config)
        credit_matrix(config, None, kept)
        assert ("tape" in vars(kept)) is needed


def test_a_row_of_a_gradient_that_vanishes_or_explodes() -> None:
    for gain in (0.01, 30.0):
        config = Config(cell="rnn", steps=200, hidden=8, batch=2, gain=gain, task="series", init="orthogonal")
        found = analyze(config, include=frozenset({"row", "credit"}), certify=False)
        assert found.row is not None
        assert found.credit is not None
        # a subnormal number has few digits to agree in
        np.testing.assert_allclose(found.row.h, found.credit.h[-1], rtol=1e-9, atol=float(np.finfo(float).tiny))
