"""Haiku's own cores on a random problem."""

from __future__ import annotations

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from tests.engine.peer_answers import Answer, Sizes, data, numbers

jax.config.update("jax_enable_x64", True)
CONVENTION, LIBRARY = "haiku", "haiku"
KEYS = [("lstm", True), ("gru", False)]
CORES = {"lstm": hk.LSTM, "gru": hk.GRU}
PARTS = {"lstm": ("hidden", "cell"), "gru": ("hidden",)}


def answer(key: tuple[str, bool], z: Sizes, seed: int = 0) -> Answer:
    cell, reset_after = key
    inputs, targets = data(seed, z)
    names = [[f"{cell}_{n}/{part}" if n else f"{cell}/{part}" for part in PARTS[cell]] for n in range(z.layers)]
    states = numbers(seed + 1, {name: (z.B, z.H) for each in names for name in each})

    def forward(entering):
        h = inputs
        for each in names:
            parts = [entering[name] for name in each]
            h, _ = hk.dynamic_unroll(CORES[cell](z.H), h, hk.LSTMState(*parts) if cell == "lstm" else parts[0])
        return h, hk.Linear(z.O)(h)

    model = hk.transform(forward)

    def loss(weights, entering):
        tree: dict[str, dict[str, jax.Array]] = {}
        for name, array in weights.items():
            module, _, leaf = name.rpartition("/")
            tree.setdefault(module, {})[leaf] = array
        h, y = model.apply(tree, None, entering)
        return 0.5 * jnp.square(y - targets).sum() / z.B, h

    made = model.init(jax.random.PRNGKey(0), {name: jnp.asarray(array) for name, array in states.items()})
    weights = numbers(seed, {f"{module}/{leaf}": array.shape
                             for module, inner in made.items() for leaf, array in inner.items()})
    (value, h), (dw, ds) = jax.value_and_grad(loss, (0, 1), has_aux=True)(weights, states)
    return Answer(LIBRARY, hk.__version__, CONVENTION, cell, reset_after, inputs, targets, weights, states,
                  np.asarray(h), float(value), {n: np.asarray(a) for n, a in dw.items()},
                  {n: np.asarray(a) for n, a in ds.items()})
