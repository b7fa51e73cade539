"""The JAX tap: stop_gradient placed right and wrong, and the staircase that each gives."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from engine import Given, analyze, import_weights, parse
from taps.jax_tap import Tap
from tests.peers.tap_traces import Trace, documented, trace, windows

jax.config.update("jax_enable_x64", True)
K, WINDOWS, B, D, H = 4, 3, 2, 3, 5
T = K * WINDOWS
Carry = tuple[jax.Array, jax.Array]


def problem(seed: int = 0) -> tuple[dict[str, jax.Array], Carry, jax.Array, jax.Array]:
    """Returns parameters in PyTorch's layout, a zero carry, inputs and targets."""
    rng = np.random.default_rng(seed)
    shapes = {"weight_ih_l0": (4 * H, D), "weight_hh_l0": (4 * H, H), "bias_ih_l0": (4 * H,), "bias_hh_l0": (4 * H,),
              "readout.weight": (2, H), "readout.bias": (2,)}
    params = {name: jnp.asarray(rng.normal(size=shape) / 2) for name, shape in shapes.items()}
    zero = jnp.zeros((B, H))
    return params, (zero, zero), jnp.asarray(rng.normal(size=(T, B, D))), jnp.asarray(rng.normal(size=(T, B, 2)))


def step(params: dict[str, jax.Array], carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array]:
    h, c = carry
    gates = x @ params["weight_ih_l0"].T + params["bias_ih_l0"] + h @ params["weight_hh_l0"].T + params["bias_hh_l0"]
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h @ params["readout.weight"].T + params["readout.bias"]


def program(scan: Callable[..., Any], between: Callable[[Carry], Carry] = lambda carry: carry,
            inside: Callable[..., Any] = step, outputs: Callable[..., Any] = lambda y: y) -> Callable[..., Any]:
    """Returns a loss function of three windows, as one writes it: (params, carry, xs, ys) -> losses (T, B), carry."""
    def losses(params: Any, carry: Carry, xs: jax.Array, ys: jax.Array) -> tuple[jax.Array, Carry]:
        found = []
        for start in range(0, T, K):
            carry, out = scan(lambda carry, x: inside(params, carry, x), between(carry), xs[start : start + K])
            found.append(outputs(out))
        return 0.5 * jnp.sum((jnp.concatenate(found) - ys) ** 2, axis=2), carry
    return losses


def stopped_inside(params: Any, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array]:
    return step(params, lax.stop_gradient(carry), x)


stop = lax.stop_gradient
PLACES: dict[str, dict[str, Any]] = {
    "right: between the windows": {"between": stop},
    "wrong: nowhere": {},
    "wrong: at h alone": {"between": lambda carry: (stop(carry[0]), carry[1])},
    "wrong: at c alone": {"between": lambda carry: (carry[0], stop(carry[1]))},
    "wrong: at every step": {"inside": stopped_inside},
    "wrong: at the outputs": {"outputs": stop},
}
FIRST = {"right: between the windows": windows(T, K), "wrong: at every step": list(range(T)),
         "wrong: at the outputs": [-1] * T}


def recorded(**place: Any) -> Trace:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.npz")
        tap = Tap(path, updates=1, declared="window:4", parts=("h", "c"))
        tap.record(program(tap.scan, **place), *problem())
        return trace(path)


@cache
def placed(name: str) -> Trace:
    """Returns the trace of one of the places; JAX compiles for seconds to make it."""
    return recorded(**PLACES[name])


@pytest.mark.parametrize("name", PLACES)
def test_the_staircase_is_that_of_jax_itself(name: str) -> None:
    """Beside a loop in Python with a zero added to each state by hand, and a gradient for each loss."""
    found = placed(name)
    by_hand = jax.jacrev(lambda add: _by_hand(add, **PLACES[name]))(jnp.zeros((2, T, B, H)))
    for part, row in enumerate(("scan.l0.h", "scan.l0.c")):
        wanted = np.linalg.norm(np.asarray(by_hand[:, part]), axis=-1).mean(-1)
        np.testing.assert_allclose(found.row("credit", row), wanted, rtol=1e-10, atol=1e-15)
        assert (found.row("connected", row) == (wanted > 0)).all()
        assert found.first(row) == FIRST.get(name, [0] * T)


def _by_hand(add: jax.Array, between: Any = lambda carry: carry, inside: Any = step,
             outputs: Any = lambda y: y) -> jax.Array:
    params, carry, xs, ys = problem()
    losses = []
    for t in range(T):
        start = stop(carry) if inside is stopped_inside else between(carry) if t % K == 0 else carry
        h, c = _lstm_with(params, start, xs[t], add[1, t])
        carry = (h + add[0, t], c)
        y = outputs(carry[0] @ params["readout.weight"].T + params["readout.bias"])
        losses.append(0.5 * jnp.sum((y - ys[t]) ** 2))
    return jnp.stack(losses)


def _lstm_with(params: Any, carry: Carry, x: jax.Array, added: jax.Array) -> Carry:
    """A step with something added to c, from which h is made."""
    (_, c), _ = step(params, carry, x)
    gates = x @ params["weight_ih_l0"].T + params["bias_ih_l0"] + carry[0] @ params["weight_hh_l0"].T
    o = jax.nn.sigmoid(jnp.split(gates + params["bias_hh_l0"], 4, axis=-1)[3])
    return o * jnp.tanh(c + added), c + added


def test_whose_edge_the_gradient_takes() -> None:
    for name, h, c in (("right: between the windows", 0, 0), ("wrong: nowhere", 1, 1), ("wrong: at h alone", 0, 1),
                       ("wrong: at c alone", 1, 0)):
        found = placed(name)
        assert [int(found.row("edge", f"scan.l0.{part}")[K]) for part in ("h", "c")] == [h, c]
        assert (found.row("edge", "scan.l0.h")[1:K] == 1).all()
        assert list(found.row("value", "scan.l0.c")) == [0] + [1] * (T - 1)


def test_the_credit_is_the_engines() -> None:
    found = placed("right: between the windows")
    params, _, xs, ys = problem()
    blocks = import_weights("pytorch", "lstm", {name: np.asarray(array) for name, array in params.items()})
    config = parse({"cell": "lstm", "hidden": H, "steps": T, "batch": B, "k": K, "task": "series"})
    exact = analyze(config, Given(weights=blocks, inputs=np.asarray(xs), targets=np.asarray(ys)), certify=False)
    inside = np.arange(T) >= exact.plan.reach[:, None]
    assert (found.recorded.reached.first == exact.plan.reach).all()
    for row, credit, states in (("scan.l0.h", exact.credit.h, exact.states.h),
                                ("scan.l0.c", exact.credit.c, exact.states.c)):
        np.testing.assert_allclose(found.row("credit", row), credit * inside, rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(found.row("state", row), states, rtol=1e-10)
    np.testing.assert_allclose(found.arrays["loss"], exact.loss.per_step, rtol=1e-10)
    np.testing.assert_allclose(found.row("grad", "scan.l0.h") * T, exact.truncated.h, rtol=1e-10)


def test_updates_follow_each_other_and_training_is_the_same(tmp_path: Path) -> None:
    """A carry that goes on from call to call; the jitted gradient, with norms before and after clipping."""
    def trained(path: Path | None) -> dict[str, jax.Array]:
        tap = Tap(path or tmp_path / "never.npz", updates=2, skip=0 if path else 100, parts=("h", "c"))
        losses = program(tap.scan, between=stop)

        @jax.jit
        def gradient(params: Any, carry: Carry, xs: Any, ys: Any) -> Any:
            return jax.grad(lambda params: (lambda found: (found[0].mean(), found[1]))(losses(params, carry, xs, ys)),
                            has_aux=True)(params)
        params, carry, xs, ys = problem()
        for _ in range(3):
            grads, after = gradient(params, carry, xs, ys)
            clipped = jax.tree.map(lambda g: jnp.clip(g, -0.01, 0.01), grads)
            tap.record(losses, params, carry, xs, ys, gradients=grads, clipped=clipped)
            params, carry = jax.tree.map(lambda p, g: p - 0.1 * g, params, clipped), after
        return params

    alone, tapped = trained(None), trained(tmp_path / "trace.npz")
    assert all(bool((alone[name] == tapped[name]).all()) for name in alone)
    found = trace(tmp_path / "trace.npz")
    assert found.meta["windows"] == list(range(0, 2 * T, K))
    assert list(found.row("value", "scan.l0.h")) == [0] + [1] * (2 * T - 1)
    assert found.first("scan.l0.h") == windows(2 * T, K)
    assert (found.arrays["norm_after"] < found.arrays["norm_before"]).all()
    assert found.meta["verified"]["losses"] < 1e-12
    assert not (tmp_path / "never.npz").exists()


def test_two_scans_one_on_the_other_share_their_steps(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "trace.npz", updates=1)
    w = jnp.eye(H) * 0.5

    def cell(h: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        h = jnp.tanh(h @ w + x)
        return h, h

    def losses(xs: jax.Array) -> jax.Array:
        below = tap.scan(cell, jnp.zeros((B, H)), xs, name="below")[1]
        return jnp.mean(tap.scan(cell, jnp.zeros((B, H)), stop(below), name="above")[1] ** 2, axis=2)

    tap.record(jax.jit(losses), jnp.ones((6, B, H)))
    found = trace(tmp_path / "trace.npz")
    assert found.meta["rows"] == ["below.l0.h", "above.l0.h"]
    assert found.first("above.l0.h") == [0] * 6
    assert found.first("below.l0.h") == [-1] * 6
    assert found.meta["windows"] == [0]


@pytest.mark.parametrize("within", [jax.checkpoint, jax.jit, lambda f: jax.checkpoint(jax.jit(f))])
def test_a_step_inside_another_function_is_seen_inside_it(within: Any) -> None:
    """The loss at a step leads to that step's own state, made inside jax.checkpoint as it is."""
    wrapped = partial(_wrapped, within)
    found, plain = recorded(inside=wrapped, between=stop), placed("right: between the windows")
    for name in ("connected", "edge"):
        assert (found.arrays[name] == plain.arrays[name]).all()
    np.testing.assert_allclose(found.arrays["credit"], plain.arrays["credit"], rtol=1e-12)


def _wrapped(within: Any, params: Any, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array]:
    found: tuple[Carry, jax.Array] = within(step)(params, carry, x)
    return found


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "trace.npz")
    with pytest.raises(ValueError, match="losses of shape"):
        tap.record(lambda: jnp.zeros(()))
    with pytest.raises(ValueError, match=r"ran no tap\.scan"):
        Tap(tmp_path / "trace.npz").record(lambda: jnp.zeros(3))
    other, xs = Tap(tmp_path / "trace.npz"), jnp.zeros((3, B, H))
    with pytest.raises(ValueError, match="reverse=True"):
        other.record(lambda: other.scan(lambda h, x: (h, h), xs[0], xs, reverse=True)[1].sum(2))
    each = jax.vmap(lambda xs: other.scan(lambda h, x: (h + x, h.sum()), xs[0], xs)[1], 1, 1)
    with pytest.raises(ValueError, match=r"inside jax\.vmap"):
        other.record(each, xs)


def test_the_documented_program_runs(tmp_path: Path) -> None:
    found, = documented("jax_tap", tmp_path)
    assert found.first("scan.l0.h") == windows(20, 5)
    assert found.meta["parameters"] == ["V", "W"]
