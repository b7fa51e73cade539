"""From a framework's tensors to the engine's blocks: weights and gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.arrays import Array
from engine.errors import InputError, Problem, refuse
from engine.weights.catalogue import convention_of, form_of, key_of
from engine.weights.convention import GATES, INSIDE, Convention, Key, Pieces
from engine.weights.layout import blocks, gradient_blocks
from engine.weights.reading import Read, read

AGREEMENT = 1e-3
"""Relative difference up to which two gradients of one sum are the same, allowing for float32 and bfloat16."""


def import_weights(convention: str, cell: str, arrays: Mapping[str, object], hidden: int | None = None,
                   forget_bias: float | None = None, *, reset_after: bool = True) -> dict[str, Array]:
    """Returns the engine's blocks (l0.W_ih (G*H, D), l0.W_hh (G*H, H), l0.b (G*H,), ..., E, W_hy, b_y) as
    `Given.weights` takes them, from a framework's tensors by its own names; float64 copies.

    Layers are told apart by the names before the tensor's own, in natural order. Dots, "/" and "__" in names mean the
    same. Biases that are not given are zero. `hidden`, where given, must be the width that the tensors have.
    `forget_bias` is what the framework adds to the forget gate when it runs (TensorFlow 1; by default 1.0).
    Raises InputError for an unknown convention, and with every tensor that is missing, unknown or misshapen."""
    known = convention_of(convention)
    key = key_of(cell, reset_after)
    form_of(known, key)
    added = added_forget_bias(known, key, forget_bias)
    return model_blocks(key, read(known, key, arrays, hidden), added)


def model_blocks(key: Key, model: Read, added: float = 0.0) -> dict[str, Array]:
    """Returns the engine's blocks of a model in pieces, in the engine's order; copies."""
    out = {block: np.array(array) for block, array in model.around.items() if block == "E"}
    for number, pieces in enumerate(model.layers):
        out.update({f"l{number}.{block}": array for block, array in blocks(key, pieces, added).items()})
    return {**out, **{block: np.array(array) for block, array in model.around.items() if block != "E"}}


def import_gradients(convention: str, cell: str, arrays: Mapping[str, object], hidden: int | None = None,
                     *, reset_after: bool = True) -> dict[str, Array]:
    """Returns a framework's gradients by the engine's blocks, to lay beside the engine's own.

    A transposition is transposed back and gates are put in the engine's order; a flipped gate changes sign. Where
    the engine's b is the sum of two biases each of them has the gradient of b, which is taken once (not summed), and
    must agree. What is added when a framework runs is a constant and has no gradient. Biases that are not given are
    left out. Scale is not touched: see `reduction_factor`. Raises InputError as `import_weights` does."""
    known = convention_of(convention)
    key = key_of(cell, reset_after)
    form_of(known, key)
    model = read(known, key, arrays, hidden)
    out = dict(model.around)
    for number, pieces in enumerate(model.layers):
        _require_agreement(known, key, pieces, number)
        out.update({f"l{number}.{block}": array for block, array in gradient_blocks(key, pieces).items()})
    return out


def added_forget_bias(convention: Convention, key: Key, asked: float | None) -> float:
    """Returns what the framework adds to the forget gate when it runs. Raises InputError where that is no choice."""
    if key[0] != "lstm":
        return 0.0
    if asked is None or asked == convention.forget_bias:
        return convention.forget_bias
    if not convention.forget_bias_chosen:
        raise refuse("forget_bias", asked, f"{convention.title} adds {convention.forget_bias:g} when it runs, always",
                     "Leave forget_bias out: what is stored is taken as it is.")
    if not np.isfinite(asked):
        raise refuse("forget_bias", asked, "must be finite", "Give the number that the cell was made with.")
    return float(asked)


def _require_agreement(convention: Convention, key: Key, pieces: Pieces, number: int) -> None:
    summed = [gate for gate in GATES[key] if gate not in INSIDE.get(key, "")]
    pairs = [(pieces["b", gate], pieces["d", gate]) for gate in summed
             if ("b", gate) in pieces and ("d", gate) in pieces]
    gap = sum(float(np.square(b - d).sum()) for b, d in pairs)
    size = sum(float(np.square(b).sum()) for b, _ in pairs)
    if gap > AGREEMENT**2 * size:
        raise InputError(Problem(f"layer {number}", "two different bias gradients",
                                 f"{convention.title}'s two biases are a sum, so their gradients must be equal",
                                 "Give gradients, of one backward pass, not weights."))
