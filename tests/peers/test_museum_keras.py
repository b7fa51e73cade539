"""The museum's programs on Keras: the broken ones show their symptom, the mended ones do not."""

from __future__ import annotations

from pathlib import Path

from tests.peers.museum_runs import both, written_for


def test_a_stateful_layer_sends_no_gradient_to_the_batch_before(tmp_path: Path) -> None:
    broken, mended = both("keras_stateful", tmp_path)
    assert broken.numbers("a gradient to:") == [1]
    assert mended.numbers("a gradient to:") == [12]


def test_every_program_for_keras_is_run_here() -> None:
    assert written_for("keras") == {"keras_stateful"}
