"""Keras 3's own layers on a random problem, on its TensorFlow backend: the others reckon in single precision here and
there even where float64 is asked for (3.15: a product on PyTorch's, tanh on JAX's)."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from tests.engine.peer_answers import Answer, Sizes, data, numbers

CONVENTION, LIBRARY = "keras", "keras"
KEYS = [("lstm", True), ("gru", True), ("gru", False), ("rnn", True)]
LAYERS = {"lstm": (keras.layers.LSTM, "lstm"), "gru": (keras.layers.GRU, "gru"),
          "rnn": (keras.layers.SimpleRNN, "simple_rnn")}


def answer(key: tuple[str, bool], z: Sizes, seed: int = 0) -> Answer:
    cell, reset_after = key
    layers, dense = _built(key, z)
    variables = {v.path: v for layer in (*layers, dense) for v in layer.trainable_variables}
    weights = numbers(seed, {name: tuple(v.shape) for name, v in variables.items()})
    for name, variable in variables.items():
        variable.assign(weights[name])
    parts = ("h", "c") if cell == "lstm" else ("h",)
    states = numbers(seed + 1, {f"{layer.name}/{part}": (z.B, z.H) for layer in layers for part in parts})
    entering = {name: tf.Variable(array) for name, array in states.items()}
    inputs, targets = data(seed, z)
    with tf.GradientTape() as tape:
        h = tf.constant(inputs.swapaxes(0, 1))
        for layer in layers:
            h = layer(h, initial_state=[tf.convert_to_tensor(entering[f"{layer.name}/{part}"]) for part in parts])
        loss = 0.5 * tf.reduce_sum(tf.square(dense(h) - targets.swapaxes(0, 1))) / z.B
    dw, ds = tape.gradient(loss, [{name: v.value for name, v in variables.items()}, entering])
    return Answer(LIBRARY, keras.__version__, CONVENTION, cell, reset_after, inputs, targets, weights, states,
                  np.swapaxes(h.numpy(), 0, 1), float(loss), {name: array.numpy() for name, array in dw.items()},
                  {name: array.numpy() for name, array in ds.items()})


def _built(key: tuple[str, bool], z: Sizes) -> tuple[list[keras.layers.Layer], keras.layers.Layer]:
    kind, name = LAYERS[key[0]]
    options = {"return_sequences": True, "dtype": "float64"}
    if key[0] == "gru":
        options["reset_after"] = key[1]
    layers = [kind(z.H, name=f"{name}_{n}" if n else name, **options) for n in range(z.layers)]
    for n, layer in enumerate(layers):
        layer.build((z.B, z.T, z.H if n else z.D))
    dense = keras.layers.Dense(z.O, name="dense", dtype="float64")
    dense.build((z.B, z.T, z.H))
    return layers, dense
