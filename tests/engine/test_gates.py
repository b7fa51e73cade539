"""Gates: constant ones, whose activity, saturation and memory are known."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Given, parse
from engine.arrays import quiet_single_thread
from engine.diagnostics import Gates
from engine.gates import gates
from engine.reference import reference

H = 4
GATES = {"lstm": ("input", "forget", "output"), "gru": ("reset", "update")}
ROW = {"lstm": {"input": 0, "forget": 1, "output": 3}, "gru": {"reset": 0, "update": 1}}


def constant(cell: str, gate: str, pre: list[float], steps: int = 6, reset_after: bool = True) -> Gates:
    """Returns the gates of a network in which one gate's pre-activations are constant, one a unit."""
    config = parse({"cell": cell, "hidden": H, "batch": 2, "steps": steps, "task": "series"}
                   | ({"reset_after": reset_after} if cell == "gru" else {}))
    shapes = reference(config).x.network.shapes()
    b = np.zeros(shapes["l0.b"])
    b[ROW[cell][gate] * H :][:H] = pre
    weights = {"l0.W_ih": np.zeros(shapes["l0.W_ih"]), "l0.W_hh": np.zeros(shapes["l0.W_hh"]), "l0.b": b}
    with quiet_single_thread():
        found = gates(reference(config, Given(weights=weights)))
    assert found is not None
    return found


@pytest.mark.parametrize(("cell", "reset_after"), [("lstm", True), ("gru", True), ("gru", False)])
def test_activity_and_saturation(cell: str, reset_after: bool) -> None:
    """sigmoid(+-2.1972) is 0.9 and 0.1."""
    for gate in GATES[cell]:
        found = constant(cell, gate, [-2.2, -2.19, 2.19, 2.2], reset_after=reset_after)
        assert set(found.mean) == set(found.closed) == set(found.open) == set(GATES[cell])
        for name in GATES[cell]:
            mine = name == gate
            assert found.mean[name].shape == (6,)
            assert np.allclose(found.mean[name], 0.5, rtol=1e-12)
            assert (found.closed[name] == (0.25 if mine else 0)).all()
            assert (found.open[name] == (0.25 if mine else 0)).all()


@pytest.mark.parametrize(("cell", "gate"), [("lstm", "forget"), ("gru", "update")])
def test_the_memory_of_a_constant_gate(cell: str, gate: str) -> None:
    retention = np.array([0.5, 0.9, 0.99, 0.1])
    found = constant(cell, gate, np.log(retention / (1 - retention)).tolist())
    assert np.allclose(found.memory, -1 / np.log([0.99, 0.9, 0.5, 0.1]), rtol=1e-12)
    assert "the longest for 99 steps" in found.sentence
    assert gate in found.sentence


def test_a_gate_that_is_almost_open_keeps_its_digits() -> None:
    found = constant("lstm", "forget", [40, 0, 0, 0])
    assert found.memory[0] == pytest.approx(np.exp(40), rel=1e-12)
    assert "2.4e+17 steps" in found.sentence


def test_short_and_endless_memories() -> None:
    found = constant("lstm", "forget", [-20, -20, -20, -20])
    assert np.allclose(found.memory, 1 / 20, rtol=1e-6)
    assert "less than a step" in found.sentence
    found = constant("lstm", "forget", [800, 0, 0, 0])
    assert np.isposinf(found.memory[0])
    assert "never forgets" in found.sentence


def test_memory_is_the_mean_over_steps_and_batch() -> None:
    """The geometric mean: what is left after the whole sequence is the product of the retentions."""
    kept = reference(parse({"cell": "lstm", "hidden": H, "batch": 3, "steps": 12, "layers": 2}))
    found = gates(kept)
    f = kept.tape.layers[-1].act[:, H : 2 * H]
    assert np.allclose(found.memory, np.sort(-1 / np.log(f).mean(axis=(0, 2)))[::-1], rtol=1e-12)
    assert np.allclose(found.mean["forget"], f.mean(axis=(1, 2)))


def test_a_cell_without_gates_has_none() -> None:
    assert gates(reference(parse({"cell": "rnn"}))) is None
