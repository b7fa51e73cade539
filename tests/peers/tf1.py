"""TensorFlow 1's own cells, as TensorFlow 2 still carries them, in a graph of placeholders, on a random problem."""

from __future__ import annotations

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from tests.engine.peer_answers import Answer, Sizes, data, numbers

v1 = tf.compat.v1
CONVENTION, LIBRARY = "tensorflow1", "tensorflow"
KEYS = [("lstm", True), ("gru", False), ("rnn", True)]
CELLS = {"lstm": "BasicLSTMCell", "gru": "GRUCell", "rnn": "BasicRNNCell"}


def answer(key: tuple[str, bool], z: Sizes, seed: int = 0, forget_bias: float = 1.0) -> Answer:
    cell, reset_after = key
    inputs, targets = data(seed, z)
    parts = ("c", "h") if cell == "lstm" else ("h",)
    states = numbers(seed + 1, {f"cell_{n}/{part}": (z.B, z.H) for n in range(z.layers) for part in parts})
    with v1.Graph().as_default():
        entering = {name: v1.placeholder(tf.float64, array.shape) for name, array in states.items()}
        h, loss = _graph(cell, z, (inputs, targets), entering, forget_bias)
        variables = {v.name: v for v in v1.trainable_variables()}
        weights = numbers(seed, {name: tuple(v.shape) for name, v in variables.items()})
        wanted = [h, loss, v1.gradients(loss, [*variables.values()]), v1.gradients(loss, [*entering.values()])]
        with v1.Session() as session:
            for name, variable in variables.items():
                variable.load(weights[name], session)
            found, value, dw, ds = session.run(wanted, {entering[name]: array for name, array in states.items()})
    return Answer(LIBRARY, tf.__version__, CONVENTION, cell, reset_after, inputs, targets, weights, states, found,
                  float(value), dict(zip(variables, dw, strict=True)), dict(zip(entering, ds, strict=True)))


def _graph(cell, z, given, entering, forget_bias):
    """Returns the top layer's h and the loss: the tutorial's pattern, time first."""
    inputs, targets = given
    make = getattr(v1.nn.rnn_cell, CELLS[cell])
    options = {"forget_bias": forget_bias} if cell == "lstm" else {}
    cells = [make(z.H, dtype=tf.float64, **options) for _ in range(z.layers)]
    start = tuple(v1.nn.rnn_cell.LSTMStateTuple(entering[f"cell_{n}/c"], entering[f"cell_{n}/h"])
                  if cell == "lstm" else entering[f"cell_{n}/h"] for n in range(z.layers))
    whole, first = (v1.nn.rnn_cell.MultiRNNCell(cells), start) if z.layers > 1 else (cells[0], start[0])
    h, _ = v1.nn.dynamic_rnn(whole, tf.constant(inputs), initial_state=first, time_major=True)
    W = v1.get_variable("softmax_w", (z.H, z.O), tf.float64)
    b = v1.get_variable("softmax_b", (z.O,), tf.float64)
    y = tf.reshape(tf.matmul(tf.reshape(h, (-1, z.H)), W) + b, (z.T, z.B, z.O))
    return h, 0.5 * tf.reduce_sum(tf.square(y - targets)) / z.B
