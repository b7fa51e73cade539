"""What a caller may give instead of what the config would draw: weights, data, initial state."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array, Params, require_shape
from engine.config import Config
from engine.errors import InputError, Problem, refuse, shorten
from engine.network import Network
from engine.tasks import Batch


@dataclass(frozen=True)
class Given:
    """The caller's own arrays, as arrays or nested lists, in the native convention:

    weights: block -> array, as `Network.shapes` names them (blocks left out are drawn as usual);
    inputs: (T, B) symbols or (T, B, D) values; targets: (T, B) classes or (T, B, O) values;
    mask: (T,) which steps have a loss; initial_state: "l0.h", "l0.c", ... -> (B, H);
    vocabulary: the symbols that the weights of a text model know, in their order."""

    weights: Mapping[str, object] | None = None
    inputs: object = None
    targets: object = None
    mask: object = None
    initial_state: Mapping[str, object] | None = None
    vocabulary: tuple[str, ...] = ()


def with_given_data(batch: Batch, given: Given, config: Config) -> Batch:
    """Returns the task's batch with the caller's inputs, targets and mask in place of its own."""
    shape = (config.steps, config.batch)
    if given.inputs is not None:
        inputs = _sequence("inputs", given.inputs, shape)
        symbols = batch.vocabulary or _numbered(inputs)
        batch = replace(batch, inputs=inputs, vocabulary=symbols if inputs.ndim == 2 else (),
                        source="your inputs", sha256="")
    if given.targets is not None:
        targets = _sequence("targets", given.targets, shape)
        classes = batch.classes or _numbered(targets)
        batch = replace(batch, targets=targets, classes=classes if targets.ndim == 2 else (),
                        mask=np.ones(config.steps, bool))
    if given.mask is not None:
        mask = require_shape("mask", given.mask, shape[:1], "T")
        batch = replace(batch, mask=mask != 0)
    _check_range("inputs", batch.inputs, len(batch.vocabulary))
    _check_range("targets", batch.targets, len(batch.classes))
    if not batch.mask.any():
        raise refuse("mask", "no step", "must leave at least one step with a loss", "Set one of them to 1.")
    return batch


def _numbered(indices: Array) -> tuple[str, ...]:
    if indices.ndim != 2:
        return ()
    top = int(indices.max())
    if top > 100_000:
        raise refuse("inputs", top, "symbols must be below 100000", "Number your symbols from 0.")
    return tuple(str(i) for i in range(top + 1))


def _sequence(name: str, value: object, shape: tuple[int, int]) -> Array:
    """Returns (T, B) integers or (T, B, features) floats."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise refuse(name, "a ragged or non-numeric list", "must be nested lists (T, B) or (T, B, features)",
                     "Give numbers, with as many in each list.") from None
    if array.ndim == 3 and array.shape[2]:
        return require_shape(name, array, (*shape, array.shape[2]), "T, B, features")
    array = require_shape(name, array, shape, "T, B")
    if (array != np.floor(array)).any() or array.min() < 0 or array.max() > 2**31:
        raise refuse(name, "a value that is no symbol", "(T, B) arrays hold whole numbers from 0",
                     "Give values as (T, B, features).")
    return array.astype(np.int64)


def _check_range(name: str, array: Array, symbols: int) -> None:
    if array.ndim == 2 and array.max() >= symbols:
        raise refuse(name, int(array.max()), f"must be below the number of symbols, {symbols}",
                     "Number your symbols from 0, or give weights of a larger vocabulary.")


def with_given_weights(params: Params, given: Given, network: Network) -> Params:
    """Returns the drawn weights with the caller's blocks in their place.

    Raises InputError for an unknown block, or one of a wrong shape (which, expected, got)."""
    shapes, out = network.shapes(), dict(params)
    problems: list[Problem] = []
    for name, value in (given.weights or {}).items():
        if name not in shapes:
            problems.append(_unknown_block("weights", name, list(shapes)))
            continue
        try:
            out[name] = require_shape(f"weights.{name}", value, shapes[name], _AXES.get(name.split(".")[-1], "?"))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return out


_AXES = {"W_ih": "gates*H, D", "W_hh": "gates*H, H", "b": "gates*H", "b_hn": "H", "E": "symbols, embedding",
         "W_hy": "O, H", "b_y": "O"}


def _unknown_block(field: str, name: str, known: list[str]) -> Problem:
    near = difflib.get_close_matches(str(name)[:64], known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"This network has: {', '.join(known)}."
    return Problem(f"{field}.{shorten(str(name), 40).strip(chr(39))}", "given", "is no block of this network", hint)


def initial_states(given: Given, network: Network, batch: int) -> tuple[Array, ...]:
    """Returns each layer's initial state (S, B): zeros, or the caller's."""
    parts = ("h", "c")[: network.cell.parts]
    known = [f"l{layer}.{part}" for layer in range(network.layers) for part in parts]
    for name in given.initial_state or {}:
        if name not in known:
            raise InputError(_unknown_block("initial_state", name, known))
    states = []
    for layer in range(network.layers):
        rows = [_initial(given, f"l{layer}.{part}", network.hidden, batch) for part in parts]
        states.append(np.concatenate(rows))
    return tuple(states)


def _initial(given: Given, name: str, H: int, B: int) -> Array:
    value = (given.initial_state or {}).get(name)
    if value is None:
        return np.zeros((H, B))
    return np.ascontiguousarray(require_shape(f"initial_state.{name}", value, (B, H), "B, H").T)
