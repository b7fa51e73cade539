"""The Keras tap: a stateful model carries the value from batch to batch, and never the gradient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from engine import Given, analyze, import_weights, parse
from taps.keras_tap import Tap
from tests.peers.tap_traces import Trace, documented, trace, windows

B, T, D = 2, 5, 3


def data(batches: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(batches * B, T, D)).astype("float32"),
            rng.normal(size=(batches * B, T, 2)).astype("float32"))


def model(*layers: Any, clipnorm: float | None = 0.05) -> keras.Model:
    found = keras.Sequential([keras.Input(batch_shape=(B, T, D)), *layers, keras.layers.Dense(2)])
    found.compile(keras.optimizers.SGD(0.1, clipnorm=clipnorm), "mse")
    return found


def layer(kind: str, **options: Any) -> Any:
    return getattr(keras.layers, kind)(4, return_sequences=True, name=kind.lower(), **options)


def fitted(path: Path | None, stateful: bool, **options: Any) -> tuple[list[float], list[np.ndarray]]:
    """Returns losses and weights of a two-layer model with dropout, trained with the tap or, without a path, alone."""
    keras.utils.set_random_seed(1)
    net = model(layer("LSTM", stateful=stateful), layer("GRU", stateful=stateful, dropout=0.3))
    taps = [] if path is None else [Tap(path, net, *data(), **options)]
    history = net.fit(*data(), batch_size=B, shuffle=False, callbacks=taps, verbose=0, epochs=2)
    return history.history["loss"], net.get_weights()


@pytest.mark.parametrize("stateful", [True, False])
def test_the_value_crosses_batches_and_the_gradient_does_not(stateful: bool, tmp_path: Path) -> None:
    fitted(tmp_path / "trace.npz", stateful, declared="window:5,carry")
    found = trace(tmp_path / "trace.npz")
    assert found.meta["rows"] == ["lstm.l0.h", "lstm.l0.c", "gru.l0.h"]
    assert found.meta["windows"] == [0, 5, 10]
    for name in found.meta["rows"]:
        assert found.first(name) == windows(15, 5)
        assert found.solid(name)
        assert list(found.row("edge", name)) == [2] + [int(t % 5 != 0) for t in range(1, 15)]
        assert list(found.row("value", name)) == [0] + [int(stateful or t % 5 != 0) for t in range(1, 15)]
    assert found.meta["verified"]["outputs"] < 1e-6
    assert "no gradient crosses" in found.meta["notes"][0]
    assert (found.recorded.reached.first == windows(15, 5)).all()


def test_training_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    for stateful in (True, False):
        losses, weights = fitted(None, stateful)
        with_it = fitted(tmp_path / "trace.npz", stateful, skip=1, updates=2)
        assert with_it[0] == losses
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(with_it[1], weights, strict=True))
    assert trace(tmp_path / "trace.npz").meta["windows"] == [0, 5]


class Kept(keras.layers.LSTM):
    """An LSTM that keeps its last state as a tensor, and not in a variable."""

    kept: Any = None

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        self.return_state = True
        output, *state = super().call(sequences, initial_state=Kept.kept, mask=mask, training=training)
        self.return_state = False
        Kept.kept = state if tf.executing_eagerly() else None
        return output


def test_a_state_that_is_no_variable_would_let_the_gradient_cross(tmp_path: Path) -> None:
    net = model(Kept(4, return_sequences=True, name="lstm"))
    x, y = data()
    tap = Tap(tmp_path / "trace.npz", net, updates=1)
    tap.batch(x[:B], y[:B])
    assert any("a gradient crosses from the second into the first" in note
               for note in trace(tmp_path / "trace.npz").meta["notes"])


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_credit_and_states_are_those_of_the_unrolled_cell(kind: str, tmp_path: Path) -> None:
    """Beside a loop over the layer's own cell, with a tape of its own for each loss."""
    keras.utils.set_random_seed(2)
    net = model(layer(kind, stateful=True))
    x, y = data()
    Tap(tmp_path / "trace.npz", net, updates=1).batch(x[:B], y[:B])
    found, rnn = trace(tmp_path / "trace.npz"), net.layers[0]
    states = [[tf.zeros((B, 4))] * (2 if kind == "LSTM" else 1)]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(states[0])
        for t in range(T):
            states.append(list(rnn.cell(x[:B, t], states[-1])[1]))
        losses = [tf.reduce_sum(tf.reduce_mean((net.layers[1](states[t + 1][0]) - y[:B, t]) ** 2, axis=1))
                  for t in range(T)]
    for part, name in enumerate(found.meta["rows"]):
        np.testing.assert_allclose(found.row("state", name), [_norm(state[part]) for state in states[1:]], rtol=1e-5)
        for s in range(T):
            wanted = [_norm(tape.gradient(losses[s], states[t + 1][part])) for t in range(s + 1)]
            np.testing.assert_allclose(found.row("credit", name)[s, : s + 1], wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_credit_over_batches_is_the_engines(kind: str, tmp_path: Path) -> None:
    """Three batches in a row with weights that do not move: the engine's credit under window(5), the state carried."""
    keras.utils.set_random_seed(3)
    net = model(layer(kind, stateful=True))
    net.optimizer.learning_rate = 0.0
    x, y = data()
    net.fit(x, y, batch_size=B, shuffle=False, verbose=0, callbacks=[Tap(tmp_path / "trace.npz", net, x, y)])
    cell = {"SimpleRNN": "rnn"}.get(kind, kind.lower())
    weights = {variable.path.removeprefix(f"{net.name}/"): variable.numpy() for variable in net.trainable_variables}
    config = parse({"cell": cell, "hidden": 4, "steps": 3 * T, "batch": B, "k": T, "task": "series"})
    inputs, targets = (each[: 3 * B].reshape(3, B, T, -1).swapaxes(1, 2).reshape(3 * T, B, -1) for each in (x, y))
    blocks = import_weights("keras", cell, weights)
    exact = analyze(config, Given(weights=blocks, inputs=inputs, targets=targets), certify=False)
    inside = np.arange(3 * T) >= exact.plan.reach[:, None]
    found = trace(tmp_path / "trace.npz")
    for name, wanted in zip(found.meta["rows"], (exact.credit.h, exact.credit.c), strict=False):
        np.testing.assert_allclose(found.row("credit", name), wanted * inside, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.arrays["loss"], exact.loss.per_step, rtol=1e-5)


def _norm(tensor: Any) -> float:
    return float(np.linalg.norm(tensor, axis=1).mean())


def test_norms_before_and_after_clipping(tmp_path: Path) -> None:
    found = _recorded(tmp_path, model(layer("GRU", stateful=True)))
    before, after = found.arrays["norm_before"], found.arrays["norm_after"]
    np.testing.assert_allclose(after, np.minimum(before, 0.05), rtol=1e-4)
    assert before.max() > 0.05
    assert len(found.meta["parameters"]) == before.shape[1] == 5


def _recorded(tmp_path: Path, net: keras.Model) -> Trace:
    x, y = data()
    Tap(tmp_path / "trace.npz", net, updates=1).batch(x[:B], y[:B])
    return trace(tmp_path / "trace.npz")


def test_stacked_cells_are_layers(tmp_path: Path) -> None:
    cells = [keras.layers.LSTMCell(4), keras.layers.LSTMCell(4)]
    found = _recorded(tmp_path, model(keras.layers.RNN(cells, return_sequences=True, name="rnn")))
    assert found.meta["rows"] == ["rnn.l0.h", "rnn.l0.c", "rnn.l1.h", "rnn.l1.c"]
    assert found.first("rnn.l0.c") == [0] * 5
    assert found.meta["verified"]["outputs"] < 1e-6


def test_a_model_that_predicts_once_has_one_loss(tmp_path: Path) -> None:
    net = keras.Sequential([keras.Input((T, D)), keras.layers.LSTM(4, name="lstm"), keras.layers.Dense(2)])
    net.compile("sgd", keras.losses.MeanSquaredError())
    x, y = data()
    Tap(tmp_path / "trace.npz", net, updates=1).batch(x[:B], y[:B, 0])
    found = trace(tmp_path / "trace.npz")
    assert found.losses == [4]
    assert found.first("lstm.l0.c") == [0]


def test_what_cannot_be_unrolled_is_refused(tmp_path: Path) -> None:
    both = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True))
    with pytest.raises(ValueError, match="bidirectional"):
        Tap(tmp_path / "trace.npz", model(both))
    with pytest.raises(ValueError, match="backwards"):
        Tap(tmp_path / "trace.npz", model(layer("GRU", go_backwards=True)))
    with pytest.raises(ValueError, match="no recurrent layer"):
        Tap(tmp_path / "trace.npz", model())
    with pytest.raises(ValueError, match="x and y must be arrays"):
        Tap(tmp_path / "trace.npz", model(layer("GRU")), (pair for pair in [()]))


def test_the_documented_program_runs(tmp_path: Path) -> None:
    found, = documented("keras_tap", tmp_path)
    assert found.first("lstm.l0.h") == windows(15, 5)
