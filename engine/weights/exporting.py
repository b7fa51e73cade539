"""From the engine's blocks to a framework's tensors: weights and gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.arrays import Array
from engine.weights.catalogue import convention_of, form_of, key_of
from engine.weights.convention import Convention, Form, Key, Pieces
from engine.weights.importing import added_forget_bias, model_blocks
from engine.weights.layout import gradients_from, join, turned, weights_from
from engine.weights.native import NATIVE
from engine.weights.reading import read


def export_weights(convention: str, cell: str, weights: Mapping[str, object], forget_bias: float | None = None,
                   *, reset_after: bool = True) -> dict[str, Array]:
    """Returns a framework's tensors, by its own names, from the engine's blocks.

    Of two biases that only count as a sum, the input side's has all of it and the other is zero. `forget_bias` as in
    `import_weights`: it is taken away from what is stored. Raises InputError as `import_weights` does."""
    known = convention_of(convention)
    key = key_of(cell, reset_after)
    form, added = form_of(known, key), added_forget_bias(known, key, forget_bias)
    return _export(known, key, weights, lambda layer: weights_from(key, form, layer, added), finite=True)


def export_gradients(convention: str, cell: str, gradients: Mapping[str, object],
                     *, reset_after: bool = True) -> dict[str, Array]:
    """Returns the gradients of a framework's tensors, by its own names, from those of the engine's blocks.

    Each of two biases that are summed has the gradient of the engine's b; a gate that the framework has flipped
    changes sign. Scale is not touched: see `reduction_factor`; what exploded to infinity stays so. Raises InputError
    as `import_weights` does."""
    known = convention_of(convention)
    key = key_of(cell, reset_after)
    form_of(known, key)
    return _export(known, key, gradients, lambda layer: gradients_from(key, layer), finite=False)


def _export(convention: Convention, key: Key, given: Mapping[str, object],
            pieces_of: Callable[[Mapping[str, Array]], Pieces], finite: bool) -> dict[str, Array]:
    blocks = model_blocks(key, read(NATIVE, key, given, None, finite))
    layers = sum(name.endswith(".W_hh") for name in blocks)
    out: dict[str, Array] = {}
    for number in range(layers):
        prefix = f"l{number}."
        layer = {name.removeprefix(prefix): block for name, block in blocks.items() if name.startswith(prefix)}
        out.update(_layer(convention, key, pieces_of(layer), number, layers))
    for outer in convention.outer:
        if outer.block in blocks:
            block = blocks[outer.block]
            out[outer.name] = np.ascontiguousarray(block.T) if outer.transposed else block
    return out


def _layer(convention: Convention, key: Key, pieces: Pieces, number: int, layers: int) -> dict[str, Array]:
    form: Form = convention.forms[key]
    turn = turned(form, pieces)
    return {convention.path(key, number, layers, slot.name): join(slot, turn) for slot in form.slots}
