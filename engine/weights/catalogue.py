"""The conventions by name, and a convention's cell."""

from __future__ import annotations

import difflib

from engine.errors import InputError, refuse
from engine.weights.convention import GATES, Convention, Form, Key
from engine.weights.flax import FLAX
from engine.weights.haiku import HAIKU
from engine.weights.keras import KERAS
from engine.weights.native import NATIVE
from engine.weights.onnx import ONNX
from engine.weights.pytorch import PYTORCH
from engine.weights.tensorflow1 import TENSORFLOW1

CONVENTIONS: dict[str, Convention] = {
    convention.name: convention for convention in (NATIVE, PYTORCH, KERAS, TENSORFLOW1, FLAX, HAIKU, ONNX)
}


def convention_of(name: str) -> Convention:
    """Returns the convention of that name. Raises InputError, which names the nearest, for another name."""
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    near = difflib.get_close_matches(str(name)[:64].lower(), CONVENTIONS, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else "Choose one of them."
    raise refuse("convention", name, f"must be one of {', '.join(CONVENTIONS)}", hint)


def key_of(cell: str, reset_after: bool) -> Key:
    """Returns the cell's key; only a GRU asks where its reset gate stands."""
    key = (cell, reset_after if cell == "gru" else True)
    if key not in GATES:
        raise refuse("cell", cell, "must be one of lstm, gru, rnn", "Choose one of them.")
    return key


def form_of(convention: Convention, key: Key) -> Form:
    """Returns how a convention stores a cell. Raises InputError where the framework has no such cell."""
    if key in convention.forms:
        return convention.forms[key]
    other = (key[0], not key[1])
    if other in convention.forms:
        where = {True: "after", False: "before"}[other[1]]
        raise refuse("reset_after", str(key[1]).lower(), f"{convention.title}'s GRU resets {where} the product",
                     f"Set reset_after to {str(other[1]).lower()}.")
    able = [name for name, each in CONVENTIONS.items() if key in each.forms]
    raise InputError(refuse("cell", key[0], convention.lacking[key[0]], f"Use {', '.join(able)}.").problems)
