"""keras_tap: how far does the gradient reach in your own Keras model (Keras 3 on TensorFlow)?

One file that needs Keras, TensorFlow and NumPy. Copy it beside your program and add:

    from keras_tap import Tap
    tap = Tap("trace.npz", model, x, y)
    model.fit(x, y, batch_size=B, shuffle=False, callbacks=[tap])

or, in a loop of your own, `tap = Tap("trace.npz", model)` and before each `model.train_on_batch(x, y)`

    tap.batch(x, y)

It records the first `updates` batches (after `skip` others), each just before you train on it: the model runs eagerly
with its own weights and its own states, its recurrent layers step by step, under one GradientTape that stays open over
all recorded batches. Whether a gradient could cross from one batch into the last is tried: each batch is run twice in
a row under the tape, and the tape is asked for a way from the second run back into the first. Afterwards every variable
(states, dropout seeds, moving averages) is as it was: training is not changed.

The trace is an .npz without pickle: see docs/traces.md of Unrolled, which shows it. MIT licence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

VERSION = 1
AGREES = 1e-4  # the unrolled outputs may differ from the model's by this share of the largest one
Key = tuple[str, int]


class Tap(keras.callbacks.Callback):
    """Records a few batches of training into the file `path`.

    x, y        the data of model.fit, where the tap is its callback; in the order in which fit takes them
    updates     how many consecutive batches are recorded; skip: how many pass by before
    declared    what you believe your truncation is: "full", "window:20", "window:20,reset"
    loss        the loss of each step, (y, predicted) -> (B, T); None: that of model.compile, not reduced
    ask         the credit of every ask-th loss is computed (each costs about a backward pass)"""

    def __init__(self, path: str | os.PathLike[str], model: keras.Model, x: Any = None, y: Any = None, *,
                 updates: int = 3, skip: int = 0, declared: str | None = None,
                 loss: Callable[[Any, Any], Any] | None = None, ask: int = 1) -> None:
        super().__init__()
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(f"keras_tap: Keras runs on {keras.backend.backend()}; the tap needs TensorFlow's tape. "
                               "Set KERAS_BACKEND=tensorflow.")
        if updates < 1 or skip < 0 or ask < 1:
            raise ValueError(f"keras_tap: updates={updates}, skip={skip}, ask={ask}: updates and ask start at 1, "
                             "skip at 0.")
        if x is not None and not all(hasattr(each, "__getitem__") and hasattr(each, "shape") for each in (x, y)):
            raise ValueError("keras_tap: x and y must be arrays that can be cut into batches. For a dataset or a "
                             "generator call tap.batch(x, y) in a loop of your own.")
        self.path, self.net, self.x, self.y = Path(path), model, x, y
        self.updates, self.skip, self.ask, self.declared = updates, skip, ask, _declared(declared)
        self.per_step = loss or _loss_of(model)
        self.layers = {layer.name: layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)}
        for layer in model._flatten_layers():
            _require_unrollable(layer)
        if not self.layers:
            raise ValueError("keras_tap: the model has no recurrent layer (LSTM, GRU, SimpleRNN, RNN).")
        self.seen, self.T, self.B = 0, 0, 0
        self.tape = tf.GradientTape(persistent=True)
        self.windows: list[int] = []
        self.notes: list[str] = []
        self.rows: list[str] = []
        self.states: dict[Key, tf.Tensor] = {}
        self.outputs: dict[Key, tf.Tensor] = {}  # by layer and step
        self.behind: dict[Key, set[Key]] = {}  # the layer's own states that an output leads back to
        self.origin: dict[Key, int] = {}
        self.final: dict[str, np.ndarray] = {}
        self.losses: dict[int, tf.Tensor] = {}  # a sum over the batch, for the credit
        self.sums: list[tuple[tf.Tensor, list[Key]]] = []
        self.norms: list[tuple[list[float], list[float]]] = []
        self.memory: list[int] = []
        self.verified, self.trying, self.crosses = 0.0, False, False

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called by model.fit."""
        if self.x is None or self.seen >= self.skip + self.updates:
            return
        if self.net.steps_per_execution > 1:
            raise ValueError("keras_tap: steps_per_execution is over 1, so the tap does not see every batch. Compile "
                             "the model with 1 while recording.")
        B = self._batch_size()
        self.batch(self.x[batch * B : (batch + 1) * B], self.y[batch * B : (batch + 1) * B])

    def on_train_end(self, logs: Any = None) -> None:
        """Called by model.fit."""
        self.close()

    def batch(self, x: Any, y: Any) -> None:
        """Records a batch that you are about to train on; nothing before `skip` and after `updates` of them."""
        self.seen += 1
        if self.skip < self.seen <= self.skip + self.updates:
            self._record(tf.convert_to_tensor(x), tf.convert_to_tensor(y))
        if self.seen == self.skip + self.updates:
            self.close()

    def close(self) -> None:
        """Writes what was recorded; nothing where that is done already, or nothing was."""
        if self.windows and self.tape is not None:
            arrays = self._arrays()
            _write(self.path, self._meta(), arrays)
            self.tape = None
            self.states, self.outputs, self.losses, self.sums = {}, {}, {}, []

    # recording

    def _batch_size(self) -> int:
        found = next((layer for layer in self.layers.values() if layer.stateful), None)
        size = self.net.inputs[0].shape[0] if found is None else tf.nest.flatten(found.states)[0].shape[0]
        if size is None:
            raise ValueError("keras_tap: the batch's size is not in the model. Give its Input a batch_shape, or call "
                             "tap.batch(x, y) in a loop of your own.")
        return int(size)

    def _record(self, x: tf.Tensor, y: tf.Tensor) -> None:
        self.windows.append(self.T)
        start, before = self.T, [(variable, variable.numpy()) for variable in self._moving()]
        wanted = self.net(x, training=True)
        _restore(before)
        with self.tape, self._unrolled(start):
            found = self.net(x, training=True)
            each = self.per_step(y, found)
            each = each[:, None] if len(each.shape) == 1 else each
            self.B = int(each.shape[0])
            mean = tf.reduce_mean(each)
            for i in range(each.shape[1]):
                self.losses[self.T - int(each.shape[1]) + i] = tf.reduce_sum(each[:, i])
            self.trying = True
            again = self.net(x, training=True)
            self.trying = False
        _restore(before)
        self._say_whether_it_crosses(again)
        self._look_behind(start)
        difference = float(tf.reduce_max(tf.abs(found - wanted)) / (tf.reduce_max(tf.abs(wanted)) + 1e-30))
        self.verified = max(self.verified, difference)
        if not difference <= AGREES:
            self._note(f"The model unrolled differs from the model itself by {difference:.1e} of its largest output "
                       f"(more than {AGREES}): the gradients are not to be relied on.")
        self.sums.append((mean, [key for key in self.states if key[1] >= start]))
        grads = self.tape.gradient(mean, self.net.trainable_variables)
        self.norms.append(([_size(grad) for grad in grads], [_size(grad) for grad in _clipped(grads, self.net)]))
        self.memory.append(_resident())

    def _say_whether_it_crosses(self, again: tf.Tensor) -> None:
        """Asks the tape for a way from a second run of the batch back to the states that the first one ended with."""
        ends = [self.states[row, self.T - 1] for row in self.rows]
        self.crosses = self.crosses or any(grad is not None for grad in self.tape.gradient(again, ends))
        self._note("Two batches in a row under one tape: a gradient crosses from the second into the first, so a loop "
                   "with a tape over several batches goes back through them; model.fit has a tape for each batch."
                   if self.crosses else "Two batches in a row under one tape: no gradient crosses from the second "
                   "into the first. What is carried, if anything, is the value.")

    def _look_behind(self, start: int) -> None:
        """Asks the tape which of a layer's states each of its outputs leads back to."""
        for (name, t), output in self.outputs.items():
            if t >= start:
                own = [key for key in self.states if start <= key[1] <= t and key[0].startswith(f"{name}.l")]
                grads = self.tape.gradient(output, [self.states[key] for key in own])
                self.behind[name, t] = {key for key, grad in zip(own, grads, strict=True) if grad is not None}

    def _moving(self) -> list[Any]:
        """Returns every variable that a forward pass may change."""
        moving = [variable for layer in self.net._flatten_layers() for variable in layer.non_trainable_variables]
        moving += [state for layer in self.layers.values() if layer.stateful for state in tf.nest.flatten(layer.states)]
        return list({id(variable): variable for variable in moving}.values())

    @contextmanager
    def _unrolled(self, start: int) -> Iterator[None]:
        """The recurrent layers run step by step within, each time the model is called."""
        for name, layer in self.layers.items():
            object.__setattr__(layer, "inner_loop", self._loop(name, layer, start))
        try:
            yield
        finally:
            for layer in self.layers.values():
                object.__delattr__(layer, "inner_loop")

    def _loop(self, name: str, layer: Any, start: int) -> Callable[..., Any]:
        def inner_loop(sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
            steps, state, outputs = int(sequences.shape[1]), initial_state, []
            rows = _rows(name, layer, initial_state)
            if not self.trying:
                self._begin(name, rows, start, steps, initial_state)
            mask = mask[0] if isinstance(mask, (list, tuple)) else mask
            takes = {"training": training} if getattr(layer.cell, "_call_has_training_arg", False) else {}
            for i in range(steps):
                output, new = layer.cell(sequences[:, i], state, **takes)
                new = new if isinstance(new, (list, tuple)) else [new]
                if mask is not None:
                    output, new = _masked(mask[:, i], output, new, outputs[-1] if outputs else output * 0, state)
                state = new
                outputs.append(output)
                for row, part in zip(rows, tf.nest.flatten(state), strict=True) if not self.trying else ():
                    self.states[row, start + i] = part
                    self.origin.setdefault((row, start + i), 1)
                    self.final[row] = part.numpy()
                if not self.trying:
                    self.outputs[name, start + i] = output
            return outputs[-1], tf.stack(outputs, 1) if layer.return_sequences else outputs[-1][:, None], state
        return inner_loop

    def _begin(self, name: str, rows: list[str], start: int, steps: int, initial: Any) -> None:
        """Makes room for a window, and looks what its first step starts from."""
        if self.T not in (start, start + steps):
            raise ValueError(f"keras_tap: {name} runs {steps} steps, the layer before it {self.T - start}; the layers "
                             "of one batch must have as many.")
        self.T = start + steps
        for row, part in zip(rows, tf.nest.flatten(initial), strict=True):
            if row not in self.rows:
                self.rows.append(row)
            last, value = self.final.get(row), part.numpy()
            carried = last is not None and last.shape == value.shape and np.allclose(last, value, AGREES, AGREES)
            self.origin[row, start] = 1 if carried and value.any() else 2 if value.any() else 0

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    # what is written

    def _meta(self) -> dict[str, Any]:
        names = [getattr(variable, "path", variable.name) for variable in self.net.trainable_variables]
        return {"format": "unrolled-trace", "version": 1, "tool": f"keras_tap {VERSION}",
                "framework": f"keras {keras.__version__}, tensorflow {tf.__version__}", "declared": self.declared,
                "rows": self.rows, "parameters": names, "batch": self.B, "windows": self.windows,
                "notes": self.notes, "verified": {"outputs": self.verified}}

    def _arrays(self) -> dict[str, np.ndarray]:
        P, T, at = len(self.rows), self.T, {row: i for i, row in enumerate(self.rows)}
        asked = [s for s in sorted(self.losses) if (T - 1 - s) % self.ask == 0]
        out = {name: np.full((P, T), np.nan) for name in ("state", "grad")}
        out |= {name: np.full((P, T), 2, np.uint8) for name in ("value", "edge")}
        out |= {"credit": np.full((P, len(asked), T), np.nan), "connected": np.zeros((P, len(asked), T), np.uint8),
                "losses": np.array(asked, np.int64), "memory": np.array(self.memory, np.int64),
                "loss": np.array([float(self.losses[t]) / self.B if t in self.losses else np.nan for t in range(T)]),
                "norm_before": np.array([before for before, _ in self.norms]),
                "norm_after": np.array([after for _, after in self.norms])}
        keys = list(self.states)
        for (row, t), state in self.states.items():
            out["state"][at[row], t], out["value"][at[row], t] = _norm(state), self.origin[row, t]
        for mean, own in self.sums:
            for (row, t), grad in zip(own, self._grads(mean, own), strict=True):
                out["grad"][at[row], t] = 0.0 if grad is None else _norm(grad) * self.B
        for r, s in enumerate(asked):
            for (row, t), grad in zip(keys, self._grads(self.losses[s], keys), strict=True):
                out["credit"][at[row], r, t] = 0.0 if grad is None else _norm(grad)
            for row, t in self._connected(s):
                out["connected"][at[row], r, t] = 1
        self._edges(out["edge"], at)
        return out

    def _grads(self, target: tf.Tensor, keys: list[Key]) -> list[Any]:
        """Returns the tape's gradients; None where it knows no way from the target to the state."""
        return self.tape.gradient(target, [self.states[key] for key in keys])

    def _connected(self, s: int) -> set[Key]:
        """Returns the states that the loss at s leads back to: those behind the outputs that it has a gradient of.

        An output is one slice of a layer's output, which the tape knows as a whole; so zeros tell the slices apart."""
        out: set[Key] = set()
        keys = [key for key in self.outputs if key[1] <= s]
        grads = self.tape.gradient(self.losses[s], [self.outputs[key] for key in keys])
        for key, grad in zip(keys, grads, strict=True):
            if grad is not None and (key[1] == s or bool(tf.reduce_any(grad != 0))):
                out |= self.behind[key]
        return out

    def _edges(self, edge: np.ndarray, at: dict[str, int]) -> None:
        """Within a window each step leads to the one before it; at a window's start it is as the tape said."""
        for row, t in self.states:
            if t and (row, t - 1) in self.states:
                edge[at[row], t] = 1 if t not in self.windows else 2 if self.crosses else 0


def _rows(name: str, layer: Any, states: Any) -> list[str]:
    """Returns the names of a layer's states: h, and c of an LSTM; a cell of stacked cells is a layer of its own."""
    stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
    cells = layer.cell.cells if stacked else [layer.cell]
    groups = states if stacked else [states]
    return [f"{name}.l{number}.{'hc'[i] if i < 2 else f's{i}'}"
            for number, (_, group) in enumerate(zip(cells, groups, strict=True))
            for i in range(len(tf.nest.flatten(group)))]


def _masked(mask: Any, output: Any, new: Any, last: Any, state: Any) -> tuple[Any, Any]:
    """Where the mask is false a step leaves state and output as they were."""
    keep = mask[:, None]
    kept = tf.nest.map_structure(lambda a, b: tf.where(keep, a, b), list(new), list(state))
    return tf.where(keep, output, last), kept


def _require_unrollable(layer: Any) -> None:
    for what, why in ((isinstance(layer, keras.layers.Bidirectional), "is bidirectional: its backward direction has no "
                       "reach into the past to be shown"),
                      (getattr(layer, "go_backwards", False), "goes backwards over time")):
        if what:
            raise ValueError(f"keras_tap: {layer.name} {why}. Give the tap a model without it.")


def _loss_of(model: keras.Model) -> Callable[[Any, Any], Any]:
    """Returns the compiled loss before it is reduced: (B, T), or (B,) for a model that predicts once."""
    loss = getattr(model, "loss", None)
    if loss is None or isinstance(loss, (list, dict)):
        raise ValueError("keras_tap: the model has no single loss. Compile it with one, or give loss=(y, predicted) -> "
                         "(B, T).")
    found = keras.losses.get(loss)
    return found.call if isinstance(found, keras.losses.Loss) else found


def _restore(before: list[tuple[Any, np.ndarray]]) -> None:
    for variable, value in before:
        variable.assign(value)


def _clipped(grads: list[Any], model: keras.Model) -> list[Any]:
    """Returns the gradients as the compiled optimizer clips them."""
    optimizer = getattr(model, "optimizer", None)
    each, whole, value = (getattr(optimizer, name, None) for name in ("clipnorm", "global_clipnorm", "clipvalue"))
    if each:
        return [None if grad is None else tf.clip_by_norm(grad, each) for grad in grads]
    if whole:
        return tf.clip_by_global_norm(grads, whole)[0]
    return [None if grad is None else tf.clip_by_value(grad, -value, value) for grad in grads] if value else grads


def _norm(tensor: Any) -> float:
    """Returns the mean over the batch of the samples' norms, of (B, H)."""
    return float(np.linalg.norm(np.asarray(tensor, np.float64), axis=-1).mean())


def _size(grad: Any) -> float:
    if isinstance(grad, tf.IndexedSlices):
        grad = tf.convert_to_tensor(grad)
    return float("nan") if grad is None else float(np.linalg.norm(np.asarray(grad, np.float64).ravel()))


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
        raise ValueError(f"keras_tap: declared={text!r}; write full, window:20, sliding:20 or k1k2:10,20, each with "
                         ",carry or ,reset behind it where you like.")
    return {"style": style} | dict(zip(names, map(int, words), strict=True)) | value


def _write(path: Path, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Writes the trace beside its place and moves it there, so that nobody reads half of one."""
    beside = path.with_name(path.name + ".part")
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    with beside.open("wb") as file:
        np.savez_compressed(file, meta=text, **arrays)
    beside.replace(path)
