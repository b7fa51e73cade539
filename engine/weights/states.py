"""Initial states, and the gradients of initial states, which map in the same way: by name and stacking alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.arrays import Array
from engine.errors import InputError, Problem
from engine.weights.catalogue import convention_of, form_of, key_of
from engine.weights.convention import Convention, Key, StateNames
from engine.weights.naming import as_array, checked_names, label, natural


def import_states(convention: str, cell: str, arrays: Mapping[str, object], hidden: int | None = None,
                  *, reset_after: bool = True) -> dict[str, Array]:
    """Returns l0.h, l0.c, ... (B, H), as `Given.initial_state` takes them, from a framework's own tensors.

    No framework scales, orders or flips a state's units, so a gradient dL/dh_0 maps as h_0 does. PyTorch has all
    layers in h_0 (L, B, H), ONNX initial_h (1, B, H), the others a tensor a layer; Haiku calls them hidden, cell.
    Raises InputError for a tensor that is missing, unknown or of a wrong shape."""
    known = convention_of(convention)
    key = key_of(cell, reset_after)
    form_of(known, key)
    parts = _parts(known.states, key)
    layers: dict[str, dict[str, Array]] = {}
    for name, (given, value) in checked_names(arrays).items():
        group, _, leaf = name.rpartition("/")
        if leaf not in parts.values():
            raise InputError(Problem(label(given), "given", f"is no state of {known.title}'s {cell}",
                                     f"Its states are {', '.join(parts.values())}."))
        part = next(part for part, own in parts.items() if own == leaf)
        for extra, array in enumerate(_each_layer(known.states, label(given), as_array(label(given), value))):
            layers.setdefault(f"{group}/{extra}", {})[part] = array
    if known.name == "native":
        _require_numbers(sorted(layers, key=natural))
    out = {f"l{number}.{part}": array for number, group in enumerate(sorted(layers, key=natural))
           for part, array in layers[group].items()}
    _require_whole(out, len(layers), parts, hidden)
    return out


def export_states(convention: str, cell: str, states: Mapping[str, object],
                  *, reset_after: bool = True) -> dict[str, Array]:
    """Returns a framework's states, by its own names, from l0.h, l0.c, ... (B, H). The way back of `import_states`."""
    known = convention_of(convention)
    key = key_of(cell, reset_after)
    form_of(known, key)
    blocks = import_states("native", cell, states, reset_after=reset_after)
    layers = 1 + max(int(name[1:].partition(".")[0]) for name in blocks)
    out: dict[str, Array] = {}
    for part, leaf in _parts(known.states, key).items():
        each = [blocks[f"l{number}.{part}"] for number in range(layers)]
        if known.states.stacked:
            out[leaf] = np.stack(each)
        else:
            out.update(_named(known, key, leaf, each))
    return out


def _parts(names: StateNames, key: Key) -> dict[str, str]:
    return {"h": names.h, "c": names.c} if key[0] == "lstm" else {"h": names.h}


def _named(convention: Convention, key: Key, leaf: str, each: list[Array]) -> dict[str, Array]:
    """A layer's state stands beside its weights: under the same name, without the weights' last part."""
    last = convention.forms[key].slots[0].name
    return {convention.path(key, number, len(each), last).removesuffix(last) + leaf:
            array[None] if convention.states.leading else array for number, array in enumerate(each)}


def _each_layer(names: StateNames, name: str, array: Array) -> list[Array]:
    """Returns the (B, H) arrays of a tensor."""
    axes, several = ("layers, batch, hidden" if names.stacked else "1, batch, hidden" if names.leading
                     else "batch, hidden"), names.stacked or names.leading
    whole = array if several else array[None]
    if whole.ndim != 3 or not whole.size or (names.leading and len(whole) != 1):
        raise InputError(Problem(name, f"shape {array.shape}", f"must have the axes ({axes})",
                                 "Check the order of the axes."))
    return list(whole)


def _require_numbers(groups: list[str]) -> None:
    if groups != [f"l{number}/0" for number in range(len(groups))]:
        raise InputError(Problem("initial_state", ", ".join(group.partition("/")[0] for group in groups[:4]),
                                 "must be layers l0, l1, ...", "Number the layers from 0, without a gap."))


def _require_whole(out: Mapping[str, Array], layers: int, parts: Mapping[str, str], hidden: int | None) -> None:
    first = out[min(out, key=natural)]
    expected = (first.shape[0], hidden or first.shape[1])
    for number in range(layers):
        for part, leaf in parts.items():
            array = out.get(f"l{number}.{part}")
            if array is None:
                raise InputError(Problem(leaf, "missing", f"is needed for layer {number}", "Give every part."))
            if array.shape != expected:
                raise InputError(Problem(leaf, f"shape {array.shape}", f"must have shape (batch, hidden) = {expected}",
                                         "Check the order of the axes and the hidden width."))
