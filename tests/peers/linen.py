"""Flax's own cells (linen) on a random problem."""

from __future__ import annotations

import flax
import jax
import jax.numpy as jnp
import numpy as np
from flax import linen
from flax.traverse_util import flatten_dict, unflatten_dict

from tests.engine.peer_answers import Answer, Sizes, data, numbers

jax.config.update("jax_enable_x64", True)
CONVENTION, LIBRARY = "flax", "flax"
KEYS = [("lstm", True), ("gru", True), ("rnn", True)]
CELLS = {"lstm": linen.OptimizedLSTMCell, "gru": linen.GRUCell, "rnn": linen.SimpleCell}
CARRY = {"lstm": ("c", "h"), "gru": ("h",), "rnn": ("h",)}


class Model(linen.Module):
    kind: type[linen.RNNCellBase]
    z: Sizes

    @linen.compact
    def __call__(self, xs, carries):
        h = xs
        for carry in carries:
            cell = self.kind(self.z.H, dtype=jnp.float64, param_dtype=jnp.float64)
            h = linen.RNN(cell, time_major=True)(h, initial_carry=carry)
        return h, linen.Dense(self.z.O, param_dtype=jnp.float64)(h)


def answer(key: tuple[str, bool], z: Sizes, seed: int = 0,
           kind: type[linen.RNNCellBase] | None = None) -> Answer:
    cell, reset_after = key
    model = Model(kind or CELLS[cell], z)
    inputs, targets = data(seed, z)
    names = [[f"layer_{n}/{part}" for part in CARRY[cell]] for n in range(z.layers)]
    states = numbers(seed + 1, {name: (z.B, z.H) for each in names for name in each})

    def loss(weights, entering):
        carries = [tuple(entering[name] for name in each) if len(each) > 1 else entering[each[0]] for each in names]
        h, y = model.apply({"params": unflatten_dict(weights, sep="/")}, inputs, carries)
        return 0.5 * jnp.square(y - targets).sum() / z.B, h

    carries = [tuple(states[name] for name in each) if len(each) > 1 else states[each[0]] for each in names]
    made = flatten_dict(model.init(jax.random.PRNGKey(0), inputs, carries)["params"], sep="/")
    weights = numbers(seed, {name: array.shape for name, array in made.items()})
    (value, h), (dw, ds) = jax.value_and_grad(loss, (0, 1), has_aux=True)(weights, states)
    return Answer(LIBRARY, flax.__version__, CONVENTION, cell, reset_after, inputs, targets, weights, states,
                  np.asarray(h), float(value), {n: np.asarray(a) for n, a in dw.items()},
                  {n: np.asarray(a) for n, a in ds.items()})
