"""Import and export undo each other, and gradients map as the derivative of the mapping says."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Given, InputError, analyze, parse
from engine.cells import CELLS
from engine.network import Network
from engine.weights import (
    CONVENTIONS,
    REDUCTIONS,
    export_gradients,
    export_states,
    export_weights,
    import_gradients,
    import_states,
    import_weights,
    reduction_factor,
)

CASES = [(name, key) for name, convention in CONVENTIONS.items() for key in convention.forms]
IDS = [f"{name}-{cell}{'' if after else '-reset-before'}" for name, (cell, after) in CASES]
H = 5
RNG_SEED = 7


def blocks_of(key, layers: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(RNG_SEED)
    network = Network(CELLS[key], layers, 6, H, 3, 2, True)
    return {name: rng.normal(size=shape) for name, shape in network.shapes().items()}


@pytest.mark.parametrize(("convention", "key"), CASES, ids=IDS)
@pytest.mark.parametrize("layers", [1, 3, 12])
def test_what_is_exported_is_imported_again(convention, key, layers) -> None:
    blocks, options = blocks_of(key, layers), {"reset_after": key[1]}
    back = import_weights(convention, key[0], export_weights(convention, key[0], blocks, **options), H, **options)
    assert list(back) == list(blocks)
    assert all(np.allclose(back[name], blocks[name], rtol=0, atol=1e-15) for name in blocks)


@pytest.mark.parametrize(("convention", "key"), CASES, ids=IDS)
def test_gradients_map_by_the_adjoint_of_the_mapping_of_weights(convention, key) -> None:
    """<dL/dphi, dphi> = <dL/dtheta, theta(phi + dphi) - theta(phi)>: so a gradient is in other coordinates."""
    rng, options = np.random.default_rng(1), {"reset_after": key[1]}
    blocks, gradient = blocks_of(key), {name: rng.normal(size=b.shape) for name, b in blocks_of(key).items()}
    phi = export_weights(convention, key[0], blocks, **options)
    theirs = export_gradients(convention, key[0], gradient, **options)
    assert {name: array.shape for name, array in theirs.items()} == {name: array.shape for name, array in phi.items()}
    for moved in phi:
        step = rng.normal(size=phi[moved].shape)
        after = import_weights(convention, key[0], {**phi, moved: phi[moved] + step}, **options)
        before = import_weights(convention, key[0], phi, **options)
        ours = sum(float((gradient[name] * (after[name] - before[name])).sum()) for name in blocks)
        assert abs(float((theirs[moved] * step).sum()) - ours) < 1e-12 * max(1.0, abs(ours)), moved


@pytest.mark.parametrize(("convention", "key"), CASES, ids=IDS)
def test_gradients_come_back(convention, key) -> None:
    blocks, options = blocks_of(key), {"reset_after": key[1]}
    back = import_gradients(convention, key[0], export_gradients(convention, key[0], blocks, **options), **options)
    assert all(np.array_equal(back[name], blocks[name]) for name in blocks)


@pytest.mark.parametrize(("convention", "key"), CASES, ids=IDS)
@pytest.mark.parametrize("layers", [1, 3, 12])
def test_states_come_back(convention, key, layers) -> None:
    rng, options = np.random.default_rng(2), {"reset_after": key[1]}
    parts = "hc" if key[0] == "lstm" else "h"
    states = {f"l{layer}.{part}": rng.normal(size=(2, H)) for layer in range(layers) for part in parts}
    back = import_states(convention, key[0], export_states(convention, key[0], states, **options), H, **options)
    assert back.keys() == states.keys()
    assert all(np.array_equal(back[name], states[name]) for name in states)


def test_biases_left_out_are_zero_and_their_gradients_are_left_out() -> None:
    full = export_weights("pytorch", "gru", blocks_of(("gru", True), 1))
    without = {name: array for name, array in full.items() if "bias" not in name}
    blocks = import_weights("pytorch", "gru", without)
    assert not blocks["l0.b"].any()
    assert not blocks["l0.b_hn"].any()
    assert {"l0.b", "l0.b_hn"}.isdisjoint(import_gradients("pytorch", "gru", without))


def test_two_biases_that_are_a_sum_must_have_one_gradient() -> None:
    gradients = export_gradients("pytorch", "lstm", blocks_of(("lstm", True), 1))
    gradients["bias_hh_l0"] = gradients["bias_hh_l0"] * 1.01
    with pytest.raises(InputError, match="two biases are a sum"):
        import_gradients("pytorch", "lstm", gradients)


def test_names_may_have_more_before_them_and_other_separators() -> None:
    blocks = blocks_of(("lstm", True))
    for convention in ("pytorch", "keras", "tensorflow1", "flax", "onnx", "native"):
        exported = export_weights(convention, "lstm", blocks)
        layers = {name: array for name, array in exported.items() if len(exported) - 3 > list(exported).index(name)}
        longer = {f"model.{name}" if convention == "pytorch" else f"model__{name}".replace("/", "__"): array
                  for name, array in layers.items()}
        back = import_weights(convention, "lstm", dict(reversed(longer.items())))
        assert all(np.allclose(back[name], blocks[name], rtol=0, atol=1e-15) for name in back)
        assert sum(name.endswith("W_hh") for name in back) == 3


def test_tensorflows_suffix_is_understood() -> None:
    exported = export_weights("tensorflow1", "gru", blocks_of(("gru", False)), reset_after=False)
    named = {f"{name}:0": array for name, array in exported.items()}
    assert import_weights("tensorflow1", "gru", named, reset_after=False).keys() == blocks_of(("gru", False)).keys()


def test_the_forget_bias_is_added_and_taken_away() -> None:
    blocks = blocks_of(("lstm", True), 1)
    stored = export_weights("tensorflow1", "lstm", blocks, forget_bias=0.5)
    again = export_weights("tensorflow1", "lstm", blocks, forget_bias=0.0)
    name = next(name for name in stored if name.endswith("bias"))
    assert np.allclose(again[name] - stored[name], np.repeat([0.0, 0.0, 0.5, 0.0], H), atol=1e-15)
    back = import_weights("tensorflow1", "lstm", stored, forget_bias=0.5)
    assert np.allclose(back["l0.b"], blocks["l0.b"], atol=1e-15)


def test_an_analysis_takes_what_is_imported() -> None:
    config = parse({"task": "copy", "hidden": 5, "steps": 12, "lag": 3, "embedding": 0, "cell": "gru"})
    drawn = analyze(config, include=frozenset({"weights"}), certify=False)
    exported = export_weights("keras", "gru", drawn.weights)
    given = Given(weights=import_weights("keras", "gru", exported, hidden=5))
    again = analyze(config, given, frozenset(), certify=False)
    assert again.loss.total == drawn.loss.total
    assert np.array_equal(again.truncated.h, drawn.truncated.h)


def test_every_reduction_has_its_factor() -> None:
    losses = np.random.default_rng(0).random((6, 4))
    ways = {"sum_time_mean_batch": losses.sum(0).mean(), "mean": losses.mean(), "sum": losses.sum(),
            "mean_time_sum_batch": losses.mean(0).sum()}
    assert ways.keys() == REDUCTIONS.keys()
    for name, value in ways.items():
        assert abs(losses.sum(0).mean() * reduction_factor(name, 6, 4) - value) < 1e-14
    with pytest.raises(InputError, match="Did you mean mean"):
        reduction_factor("maen", 6, 4)
    with pytest.raises(InputError, match="must be 1 or more"):
        reduction_factor("mean", 0, 4)


@pytest.mark.parametrize(("convention", "key"), CASES, ids=IDS)
def test_gradients_that_exploded_are_exported_as_they_are(convention, key) -> None:
    gradient = {name: np.full(block.shape, np.inf) for name, block in blocks_of(key).items()}
    theirs = export_gradients(convention, key[0], gradient, reset_after=key[1])
    assert theirs
    assert all(np.isinf(array).all() for array in theirs.values())
