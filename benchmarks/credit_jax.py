"""The credit matrix in compiled JAX, in three ways: what a user of JAX writes, and the engine's own algorithm by hand.

Each takes a layer's weights, its inputs and targets, and returns the norms of dL_s/dh_t and dL_s/dc_t. An LSTM, one
sample, squared errors. Zeros that are added to each h_t and c_t make these gradients derivatives by an input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.work import Work

BLOCK = 25  # steps, for the way by hand: of 25, 64 and 128 the fastest at all sizes
State = tuple[jax.Array, jax.Array]
Weights = dict[str, jax.Array]


def ways(same: Work) -> dict[str, Callable[[], np.ndarray]]:
    """Returns JAX's ways, each from nothing to (2, T, T): for h and c, by loss and step."""
    jax.config.update("jax_enable_x64", True)
    w = {name.removeprefix("l0."): jnp.asarray(block) for name, block in same.params.items()}
    xs, y = jnp.asarray(same.data.xs[:, :, 0]), jnp.asarray(same.data.targets[:, 0, 0])
    found = {"jacrev": by_jacrev, "vmap of vjp": by_vjp, "by hand": by_hand}
    return {name: lambda way=way: np.asarray(way(w, xs, y)) for name, way in found.items()}


def losses(w: Weights, pre: jax.Array, y: jax.Array, zeros: jax.Array) -> jax.Array:
    """Returns the loss of every step, with zeros (T, 2, H) added to h_t and c_t."""
    def step(state: State, now: State) -> tuple[State, jax.Array]:
        _, _, _, o, c = _gates(w, now[0], state)
        c = c + now[1][1]
        h = o * jnp.tanh(c) + now[1][0]
        return (h, c), h

    start = jnp.zeros(zeros.shape[2])
    hs = jax.lax.scan(step, (start, start), (pre, zeros))[1]
    return 0.5 * jnp.square(hs @ w["W_hy"][0] + w["b_y"][0] - y)


def _gates(w: Weights, pre: jax.Array, state: State) -> tuple[jax.Array, ...]:
    """Returns i, f, g, o and the new c."""
    i, f, g, o = jnp.split(pre + w["W_hh"] @ state[0], 4)
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    return i, f, g, o, f * state[1] + i * g


def _projected(w: Weights, xs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the input's projections, and the zeros."""
    return xs @ w["W_ih"].T + w["b"], jnp.zeros((len(xs), 2, w["W_hh"].shape[1]))


@jax.jit
def by_jacrev(w: Weights, xs: jax.Array, y: jax.Array) -> jax.Array:
    pre, zeros = _projected(w, xs)
    return _norms(jax.jacrev(partial(losses, w, pre, y))(zeros)).transpose(2, 0, 1)


@jax.jit
def by_vjp(w: Weights, xs: jax.Array, y: jax.Array) -> jax.Array:
    """The norms are taken row by row, so that no (T, T, 2, H) need be written."""
    pre, zeros = _projected(w, xs)
    back = jax.vjp(partial(losses, w, pre, y), zeros)[1]
    return jax.vmap(lambda one: _norms(back(one)[0]), out_axes=1)(jnp.eye(len(xs))).transpose(2, 1, 0)


@jax.jit
def by_hand(w: Weights, xs: jax.Array, y: jax.Array) -> jax.Array:
    """A row per loss, all rows one step back at a time, each step's gates folded; rows join in blocks, so that
    next to nothing is computed for losses that are still to come."""
    new, slopes = _slopes(w, _projected(w, xs)[0], y)
    T, H = new.shape
    rows = (jnp.zeros((0, H)), jnp.zeros((0, H)))
    found = []
    for end in range(T, 0, -BLOCK):
        first = max(0, end - BLOCK)
        now, more = slice(first, end), jnp.zeros((end - first, H))
        rows = (jnp.concatenate([more, rows[0]]), jnp.concatenate([more, rows[1]]))
        given = (new[now], jnp.arange(end - first), *(slope[now] for slope in slopes))
        rows, out = jax.lax.scan(partial(_row_step, w["W_hh"].reshape(4, H, H)), rows, given, reverse=True)
        found.append(jnp.pad(out, ((0, 0), (0, 0), (first, 0))))
    return jnp.concatenate(found[::-1]).transpose(1, 2, 0)


def _slopes(w: Weights, pre: jax.Array, y: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """Returns dL_t/dh_t (T, H); and the elementwise derivatives of every step: of the four gates, dh/dc, and f."""
    def step(state: State, now: jax.Array) -> tuple[State, tuple[jax.Array, ...]]:
        i, f, g, o, c = _gates(w, now, state)
        t = jnp.tanh(c)
        to_gates = jnp.stack([i * (1 - i) * g, f * (1 - f) * state[1], (1 - g * g) * i, o * (1 - o) * t])
        return (o * t, c), (o * t, to_gates, o * (1 - t * t), f)

    start = jnp.zeros(w["W_hh"].shape[1])
    hs, *slopes = jax.lax.scan(step, (start, start), pre)[1]
    return (hs @ w["W_hy"][0] + w["b_y"][0] - y)[:, None] * w["W_hy"][0], tuple(slopes)


def _row_step(W: jax.Array, rows: State, now: tuple[jax.Array, ...]) -> tuple[State, jax.Array]:
    """One step back of all rows; W (4, H, H). Returns the norms before it, too."""
    new, place, to_gates, through_c, keep = now
    h = jax.lax.dynamic_update_slice(rows[0], new[None], (place, 0))
    c = rows[1] + h * through_c
    i, f, g, o = to_gates[:, :, None] * W
    return (h @ o + c @ (i + f + g), c * keep), jnp.stack([_norms(h), _norms(c)])


def _norms(rows: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.square(rows).sum(axis=-1))
