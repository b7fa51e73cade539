"""jax_tap: how far does the gradient reach in your own JAX program, and where does stop_gradient stand?

One file that needs JAX and NumPy. Copy it beside your program and add three lines:

    from jax_tap import Tap
    tap = Tap("trace.npz")
    ... tap.scan(step, carry, xs) ...               # in place of jax.lax.scan, which it is where nothing is recorded
    tap.record(losses, params, carry, xs, ys)       # once an update; losses(...) returns (T,) or (T, B), or a tuple of
                                                    # these and more

`record` runs your function once more, with its scans as Python loops and a zero added to every leaf of the carry at
every step, inside your step function, right where the leaf is made. The gradient of a loss with respect to such a zero
is the gradient of the state. What is *connected* is read off the linearized jaxpr, from which JAX leaves out whatever
stop_gradient has cut; only which slice of a scan's stacked outputs a loss reads is told by exact zeros. Gradients and
numbers of your training are not touched: what it records is thrown away after each call.

The trace is an .npz without pickle: see docs/traces.md of Unrolled, which shows it. MIT licence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal

VERSION = 1
AGREES = 1e-4  # the losses of the Python loop may differ from lax.scan's by this share of the largest one
CALLS = ("checkpoint", "closed_call", "core_call", "jit", "pjit", "remat", "remat2")  # what is in them is looked into
Key = tuple[str, int]


@dataclass
class _Run:
    """One pass through your function: what is added to the states, outputs and last carries, and what came of them."""

    start: int
    add: dict[str, dict[Any, Any]] = field(default_factory=lambda: {"state": {}, "y": {}, "last": {}})
    made: dict[str, dict[Any, Any]] = field(default_factory=lambda: {"state": {}, "y": {}, "last": {}})
    initial: dict[Key, Any] = field(default_factory=dict)
    windows: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of the scans over the steps that are the last ones now
    steps: int = 0
    end: int = 0

    def plus(self, kind: str, key: Any, value: Any) -> Any:
        """Returns a value with what is added to it."""
        self.made[kind][key] = value = value + self.add[kind].get(key, 0)
        return value


class Tap:
    """Records a few updates into the file `path`.

    updates     how many calls of `record` are recorded; skip: how many pass by before
    declared    what you believe your truncation is: "full", "window:20", "k1k2:10,20"
    parts       names of the carry's leaves, in their order: ("c", "h") for Flax's LSTM, ("h", "c") for Haiku's
    ask         the credit of every ask-th loss is computed"""

    def __init__(self, path: str | os.PathLike[str], *, updates: int = 3, skip: int = 0, declared: str | None = None,
                 parts: Sequence[str] = (), ask: int = 1) -> None:
        if updates < 1 or skip < 0 or ask < 1:
            raise ValueError(f"jax_tap: updates={updates}, skip={skip}, ask={ask}: updates and ask start at 1, skip at "
                             "0.")
        self.path, self.updates, self.skip, self.ask = Path(path), updates, skip, ask
        self.declared, self.parts = _declared(declared), tuple(parts)
        self.seen, self.T, self.B, self.run = 0, 0, 1, None
        self.rows: list[str] = []
        self.windows: list[int] = []
        self.found: dict[str, dict[Any, float]] = {
            name: {} for name in ("state", "grad", "value", "edge", "credit", "connected", "loss")}
        self.final: dict[str, np.ndarray] = {}
        self.norms: list[tuple[dict[str, float], dict[str, float]]] = []
        self.memory: list[int] = []
        self.notes: list[str] = []
        self.verified = 0.0

    def scan(self, f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None, *, name: str = "scan",
             **options: Any) -> tuple[Any, Any]:
        """lax.scan, whose every step is recorded while `record` runs. Scans over the same steps, one on top of the
        other, need names of their own."""
        if self.run is None:
            return lax.scan(f, init, xs, length, **options)
        if options.get("reverse"):
            raise ValueError("jax_tap: a scan with reverse=True has no reach into the past to be shown. Use lax.scan "
                             "for it.")
        return self._scan(self.run, f, init, xs, length, name)

    def record(self, losses: Callable[..., Any], *args: Any, gradients: Any = None, clipped: Any = None) -> None:
        """Records one update: losses(*args) gives the loss of each step, (T,) mean over the batch or (T, B).

        `gradients` and `clipped` are what you update with, before and after clipping, for their norms."""
        self.seen += 1
        if self.skip < self.seen <= self.skip + self.updates:
            self._record(lambda: _first(losses(*args)))
            names = [_norms_of(tree) for tree in (gradients, gradients if clipped is None else clipped)]
            self.norms.append((names[0], names[1]))
            self.memory.append(_resident())
        if self.seen == self.skip + self.updates:
            self.close()

    def close(self) -> None:
        """Writes what was recorded; nothing where that is done already, or nothing was."""
        if self.windows:
            _write(self.path, self._meta(), self._arrays())
            self.windows = []

    # one pass

    def _scan(self, run: _Run, f: Callable[..., Any], init: Any, xs: Any, length: int | None,
              name: str) -> tuple[Any, Any]:
        if any(type(leaf).__name__ == "BatchTracer" for leaf in jax.tree.leaves((init, xs))):
            raise ValueError("jax_tap: tap.scan runs inside jax.vmap, which hides the samples from each other and from "
                             "the tap. Record a function of whole batches: let the step take (B, ...) arrays.")
        steps = length if xs is None else len(jax.tree.leaves(xs)[0])
        start = self._place(run, name, int(steps))
        first = jax.tree.map(lambda x: x[0], xs)
        closed, shape = jax.make_jaxpr(f, return_shape=True)(init, first)
        carry, (leaves, tree) = init, jax.tree.flatten(shape[0])
        keys = self._rows(name, shape[0])
        for row, leaf in zip(keys, jax.tree.leaves(init), strict=True):
            run.initial[row, start] = leaf
        ys = []
        for i in range(int(steps)):
            flat = jax.tree.leaves((carry, jax.tree.map(lambda x, i=i: x[i], xs)))
            watched = {id(var): (row, start + i) for row, var in zip(keys, closed.jaxpr.outvars, strict=False) if row}
            out = _evaluate(closed, flat, lambda key, value: run.plus("state", key, value), watched)
            carry = jax.tree.unflatten(tree, out[: len(leaves)])
            ys.append([run.plus("y", (name, start + i, j), y) if _real(y) else y
                       for j, y in enumerate(out[len(leaves) :])])
        last = [run.plus("last", (row, start + int(steps) - 1), leaf) if row else leaf
                for row, leaf in zip(keys, jax.tree.leaves(carry), strict=True)]
        stacked = [jnp.stack(each) for each in zip(*ys, strict=True)]
        return jax.tree.unflatten(tree, last), jax.tree.unflatten(jax.tree.structure(shape[1]), stacked)

    def _place(self, run: _Run, name: str, steps: int) -> int:
        """Returns the first step of a scan: a new window, or the steps of the scan below it."""
        if name in run.names or steps != run.steps:
            run.windows.append(run.end)
            run.names, run.steps, run.end = [], steps, run.end + steps
        run.names.append(name)
        return run.end - steps

    def _rows(self, name: str, carry: Any) -> list[str | None]:
        """Returns the row of each leaf of the carry; None for one that is no state: a counter, a key."""
        paths = [(path, leaf) for path, leaf in jax.tree_util.tree_flatten_with_path(carry)[0]]
        real = [i for i, (_, leaf) in enumerate(paths) if _real(leaf) and len(leaf.shape) >= 1]
        names: list[str | None] = [None] * len(paths)
        for number, i in enumerate(real):
            part = self.parts[number] if number < len(self.parts) else (
                "h" if len(real) == 1 else jax.tree_util.keystr(paths[i][0], simple=True, separator="_"))
            names[i] = f"{name}.l0.{part}"
        return names

    def _perturbed(self, losses: Callable[[], Any], add: dict[str, dict[Any, Any]]) -> tuple[_Run, Any]:
        self.run = run = _Run(self.T, end=self.T)
        run.add |= add
        try:
            with jax.disable_jit():
                found = losses()
        finally:
            self.run = None
        return run, found

    # one update

    def _record(self, losses: Callable[[], Any]) -> None:
        wanted = losses()
        run, each = self._perturbed(losses, {})
        if not run.windows:
            raise ValueError("jax_tap: the function ran no tap.scan. Use tap.scan in place of jax.lax.scan in it.")
        self._verify(each, wanted)
        steps = list(range(run.end - each.shape[0], run.end))
        self.B = next(_rows_of(value).shape[0] for value in run.made["state"].values())
        scale = 1 if each.ndim == 2 else self.B
        zeros = {kind: {key: jnp.zeros_like(value) for key, value in made.items()} for kind, made in run.made.items()}
        grads = self._gradients(losses, zeros, len(steps), scale)
        self._keep(run, each, steps, grads)
        reach, straight = self._structure(losses, zeros)
        self._connect(steps, grads, reach)
        self._edges(run, straight)
        self.windows += run.windows
        self.T = run.end

    def _verify(self, ours: Any, theirs: Any) -> None:
        difference = float(jnp.max(jnp.abs(ours - theirs)) / jnp.maximum(jnp.max(jnp.abs(theirs)), 1e-30))
        self.verified = max(self.verified, difference)
        if not difference <= AGREES:
            self.notes.append(f"The losses unrolled differ from those of lax.scan by {difference:.1e} of the largest "
                              f"(more than {AGREES}): the gradients are not to be relied on.")

    def _gradients(self, losses: Callable[[], Any], zeros: Any, n: int, scale: int) -> dict[str, dict[Any, np.ndarray]]:
        """Returns the gradients of each loss, (n, ...), with respect to all that is added."""
        def summed(add: Any) -> Any:
            each = self._perturbed(losses, add)[1]
            return each.reshape(n, -1).sum(1) * scale
        back = jax.vjp(summed, zeros)[1]
        return jax.tree.map(np.asarray, jax.vmap(back)(jnp.eye(n))[0])

    def _keep(self, run: _Run, each: Any, steps: list[int], grads: Any) -> None:
        asked = [i for i in range(len(steps)) if (len(steps) - 1 - i) % self.ask == 0]
        means = np.asarray(each).reshape(len(steps), -1).mean(1)
        self.found["loss"] |= dict(zip(steps, map(float, means), strict=True))
        for key, value in run.made["state"].items():
            row, t = key
            if row not in self.rows:
                self.rows.append(row)
            self.found["state"][key] = _norm(value)
            self.found["grad"][key] = _norm(grads["state"][key].mean(0))
            self.found["value"][key] = 1
            self.found["credit"] |= {(row, steps[i], t): _norm(grads["state"][key][i]) for i in asked}
        for (row, t), value in run.initial.items():
            if row is not None:
                self.found["value"][row, t] = _origin(self.final.get(row) if t == self.T else np.asarray(
                    run.made["last"].get((row, t - 1), np.zeros(0))), np.asarray(value))
        for (row, _), value in run.made["last"].items():
            self.final[row] = np.asarray(value)

    def _structure(self, losses: Callable[[], Any], zeros: Any) -> tuple[dict[Any, set[Key]], dict[Key, set[Key]]]:
        """Returns the states that each output and last carry, and each state straight, leads back to: by the jaxpr."""
        def outputs(add: Any) -> Any:
            made = self._perturbed(losses, {**zeros, "state": add})[0].made
            return [list(made["state"].values()), list(made["y"].values()), list(made["last"].values())]
        states, keys = zeros["state"], list(zeros["state"])
        linear = jax.make_jaxpr(jax.linearize(outputs, states)[1])(states).jaxpr
        entries = [*(("y", key) for key in zeros["y"]), *(("last", key) for key in zeros["last"])]
        order = sorted(states)  # as JAX flattens a dict
        whole = _depends(linear, order, {})
        watched = {var: key for key, var in zip(keys, linear.outvars, strict=False) if not isinstance(var, Literal)}
        straight = _depends(linear, order, watched)
        return (dict(zip(entries, whole[len(keys) :], strict=True)), dict(zip(keys, straight, strict=False)))

    def _connect(self, steps: list[int], grads: Any, reach: dict[Any, set[Key]]) -> None:
        for i, s in enumerate(steps):
            if (len(steps) - 1 - i) % self.ask == 0:
                entries = [(kind, key) for kind in ("y", "last") for key, grad in grads[kind].items()
                           if key[1] <= s and grad[i].any()]
                met = set().union(*(reach[entry] for entry in entries)) if entries else set()
                self.found["connected"] |= {(row, s, t): 1 for row, t in met if t <= s}

    def _edges(self, run: _Run, straight: dict[Key, set[Key]]) -> None:
        for row, t in run.made["state"]:
            if (row, t - 1) in self.found["state"]:
                met = set().union(*(found for (_, step), found in straight.items() if step == t))
                self.found["edge"][row, t] = int((row, t - 1) in met)

    # what is written

    def _meta(self) -> dict[str, Any]:
        return {"format": "unrolled-trace", "version": 1, "tool": f"jax_tap {VERSION}",
                "framework": f"jax {jax.__version__}", "declared": self.declared, "rows": self.rows,
                "parameters": list(self.norms[0][0]), "batch": self.B, "windows": self.windows, "notes": self.notes,
                "verified": {"losses": self.verified}}

    def _arrays(self) -> dict[str, np.ndarray]:
        P, T, at = len(self.rows), self.T, {row: i for i, row in enumerate(self.rows)}
        losses = sorted({s for _, s, _ in self.found["credit"]})
        place = {s: r for r, s in enumerate(losses)}
        out = {name: np.full((P, T), np.nan) for name in ("state", "grad")}
        out |= {name: np.full((P, T), 2, np.uint8) for name in ("value", "edge")}
        for name, array in out.items():
            for (row, t), value in self.found[name].items():
                array[at[row], t] = value
        out |= {"credit": np.zeros((P, len(losses), T)), "connected": np.zeros((P, len(losses), T), np.uint8)}
        for name in ("credit", "connected"):
            for (row, s, t), value in self.found[name].items():
                if s in place:
                    out[name][at[row], place[s], t] = value
        names = list(self.norms[0][0])
        for i, name in enumerate(("norm_before", "norm_after")):
            out[name] = np.array([[pair[i][q] for q in names] for pair in self.norms]).reshape(len(self.norms), -1)
        loss = np.array([self.found["loss"].get(t, np.nan) for t in range(T)])
        return out | {"loss": loss, "losses": np.array(losses, np.int64), "memory": np.array(self.memory, np.int64)}


def _evaluate(closed: Any, flat: list[Any], plus: Callable[[Key, Any], Any], watched: dict[int, Key]) -> list[Any]:
    """Evaluates a jaxpr as JAX does, and adds to the watched variables as soon as they are made."""
    jaxpr, left = closed.jaxpr, dict(watched)
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    values |= dict(zip(jaxpr.invars, flat, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, Literal) else values[atom]

    for eqn in jaxpr.eqns:
        if eqn.primitive.name in CALLS and any(id(var) in left for var in eqn.outvars):
            inner = eqn.params["jaxpr"]
            inside = {id(var): left.pop(id(outer)) for var, outer in zip(
                getattr(inner, "jaxpr", inner).outvars, eqn.outvars, strict=True) if id(outer) in left}
            out = _evaluate(inner if hasattr(inner, "consts") else ClosedJaxpr(inner, ()), [*map(read, eqn.invars)],
                            plus, inside)
            values |= dict(zip(eqn.outvars, out, strict=True))
            continue
        bound = eqn.primitive.get_bind_params(eqn.params)  # older versions give the functions inside apart
        functions, params = bound if isinstance(bound, tuple) else ((), bound)
        out = eqn.primitive.bind(*functions, *map(read, eqn.invars), **params)
        for var, value in zip(eqn.outvars, out if eqn.primitive.multiple_results else [out], strict=True):
            values[var] = plus(left.pop(id(var)), value) if id(var) in left else value
    return [plus(left.pop(id(var)), read(var)) if id(var) in left else read(var) for var in jaxpr.outvars]


def _depends(jaxpr: Any, inputs: Sequence[Key], watched: dict[Any, Key]) -> list[set[Key]]:
    """Returns the inputs that each output of a linear jaxpr depends on; one that is watched hides what is behind it."""
    behind: dict[Any, set[Key]] = {var: {key} for var, key in zip(jaxpr.invars, inputs, strict=True)}
    met: dict[Any, set[Key]] = dict(behind)
    for eqn in jaxpr.eqns:
        found = set().union(*(behind.get(atom, set()) for atom in eqn.invars if not isinstance(atom, Literal)))
        for var in eqn.outvars:
            met[var], behind[var] = found, {watched[var]} if var in watched else found
    return [set() if isinstance(var, Literal) else met.get(var, set()) for var in jaxpr.outvars]


def _first(found: Any) -> Any:
    """Returns the losses of what the function returned: itself, or the first of several things."""
    losses = found[0] if isinstance(found, tuple) else found
    if getattr(losses, "ndim", 0) not in (1, 2):
        raise ValueError(f"jax_tap: the function gave losses of shape {getattr(losses, 'shape', '?')}; give (T,) or "
                         "(T, B), the loss of each step, and not their mean.")
    return losses


def _real(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.floating)


def _rows_of(value: Any) -> Any:
    """Returns a state as (B, H)."""
    return value.reshape(1, -1) if value.ndim == 1 else value.reshape(value.shape[0], -1)


def _norm(value: Any) -> float:
    """Returns the mean over the batch of the samples' norms."""
    return float(np.linalg.norm(_rows_of(np.asarray(value, np.float64)), axis=1).mean())


def _origin(last: np.ndarray | None, initial: np.ndarray) -> int:
    """Returns 1 where a scan starts from the last state, 0 where it starts from zero, else 2: nobody knows."""
    if not initial.any():
        return 0
    return 1 if last is not None and last.shape == initial.shape and np.allclose(last, initial, AGREES, AGREES) else 2


def _norms_of(tree: Any) -> dict[str, float]:
    leaves = [] if tree is None else jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): float(np.linalg.norm(np.asarray(
        leaf, np.float64).ravel())) for path, leaf in leaves}


def _resident() -> int:
    """Returns the process's resident bytes; -1 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else -1


def _declared(text: str | None) -> dict[str, Any] | None:
    """Returns "window:20" or "k1k2:10,20,carry" as the trace has it."""
    if text is None:
        return None
    style, _, rest = text.partition(":" if ":" in text else ",")
    words = [word.strip() for word in rest.split(",")] if rest else []
    value = {"value": words.pop()} if words and words[-1] in ("carry", "reset") else {}
    names = {"full": (), "window": ("k",), "sliding": ("k",), "k1k2": ("k1", "k2")}.get(style)
    if names is None or len(words) != len(names) or not all(word.isdigit() for word in words):
        raise ValueError(f"jax_tap: declared={text!r}; write full, window:20, sliding:20 or k1k2:10,20, each with "
                         ",carry or ,reset behind it where you like.")
    return {"style": style} | dict(zip(names, map(int, words), strict=True)) | value


def _write(path: Path, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Writes the trace beside its place and moves it there, so that nobody reads half of one."""
    beside = path.with_name(path.name + ".part")
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    with beside.open("wb") as file:
        np.savez_compressed(file, meta=text, **arrays)
    beside.replace(path)
