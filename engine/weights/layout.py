"""Between a framework's tensors and pieces, and between pieces and the engine's blocks. Each way, and for gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.arrays import Array
from engine.weights.convention import GATES, INSIDE, Form, Key, Pieces, Slot


def split(slot: Slot, stored: Array, D: int, H: int) -> Pieces:
    """Returns a tensor's pieces; `stored` has the shape that the slot states."""
    body = stored[0] if slot.leading else stored
    width = {"x": D, "h": H, "b": 1, "d": 1}
    columns = sum(width[side] for side in slot.sides)
    matrix = body if slot.form == "rows" else body.reshape(columns, -1).T
    out: Pieces = {}
    for row, gate in enumerate(slot.gates):
        first = 0
        for side in slot.sides:
            out[side, gate] = matrix[row * H : (row + 1) * H, first : first + width[side]]
            first += width[side]
    return out


def join(slot: Slot, pieces: Pieces) -> Array:
    """Returns the tensor that has these pieces, as the framework stores it."""
    matrix = np.block([[pieces[side, gate] for side in slot.sides] for gate in slot.gates])
    body = {"rows": matrix, "columns": matrix.T, "vector": matrix.T.reshape(-1)}[slot.form]
    return np.ascontiguousarray(body[None] if slot.leading else body)


def turned(form: Form, pieces: Pieces) -> Pieces:
    """Returns the pieces with the sign of the flipped gates changed; twice is not at all."""
    return {(side, gate): -piece if gate in form.flipped else piece for (side, gate), piece in pieces.items()}


def blocks(key: Key, pieces: Pieces, forget_bias: float) -> dict[str, Array]:
    """Returns a layer's blocks from all its pieces, of which biases may be left out."""
    gates, inside = GATES[key], INSIDE.get(key, "")
    zero = np.zeros((pieces["h", gates[0]].shape[0], 1))
    both = {gate: pieces.get(("b", gate), zero) + (zero if gate in inside else pieces.get(("d", gate), zero))
            for gate in gates}
    if forget_bias and "f" in gates:
        both["f"] = both["f"] + forget_bias
    out = {"W_ih": _stack(pieces, "x", gates), "W_hh": _stack(pieces, "h", gates),
           "b": np.concatenate([both[gate] for gate in gates])[:, 0]}
    if inside:
        out["b_hn"] = pieces.get(("d", inside), zero)[:, 0]
    return out


def gradient_blocks(key: Key, pieces: Pieces) -> dict[str, Array]:
    """Returns the gradients of a layer's blocks from those of a framework's pieces; b and b_hn only where the
    framework has biases. Each bias of a sum has the sum's gradient, so either side says it."""
    gates, inside = GATES[key], INSIDE.get(key, "")
    out = {"W_ih": _stack(pieces, "x", gates), "W_hh": _stack(pieces, "h", gates)}
    biases = [pieces.get(("b", gate), pieces.get(("d", gate))) for gate in gates]
    present = [bias for bias in biases if bias is not None]
    if len(present) == len(gates):
        out["b"] = np.concatenate(present)[:, 0]
    if inside and ("d", inside) in pieces:
        out["b_hn"] = pieces["d", inside][:, 0]
    return out


def weights_from(key: Key, form: Form, layer: Mapping[str, Array], forget_bias: float) -> Pieces:
    """Returns a framework's pieces from the engine's blocks. Of two biases that are summed the input side's has all."""
    out = _matrices(key, layer)
    held = {(side, gate) for slot in form.slots for side in slot.sides for gate in slot.gates}
    for gate, bias in _rows(key, layer["b"][:, None]).items():
        value = bias - forget_bias if gate == "f" and forget_bias else bias
        first, second = ("b", "d") if ("b", gate) in held else ("d", "b")
        out[first, gate], out[second, gate] = value, np.zeros_like(value)
    for gate in INSIDE.get(key, ""):
        out["d", gate] = layer["b_hn"][:, None]
    return out


def gradients_from(key: Key, layer: Mapping[str, Array]) -> Pieces:
    """Returns the gradients of a framework's pieces from those of the engine's blocks."""
    out = _matrices(key, layer)
    for gate, bias in _rows(key, layer["b"][:, None]).items():
        out["b", gate] = out["d", gate] = bias
    for gate in INSIDE.get(key, ""):
        out["d", gate] = layer["b_hn"][:, None]
    return out


def _stack(pieces: Pieces, side: str, gates: str) -> Array:
    return np.concatenate([pieces[side, gate] for gate in gates])


def _rows(key: Key, block: Array) -> dict[str, Array]:
    return dict(zip(GATES[key], np.split(block, len(GATES[key])), strict=True))


def _matrices(key: Key, layer: Mapping[str, Array]) -> Pieces:
    return {(side, gate): rows for side, block in (("x", "W_ih"), ("h", "W_hh"))
            for gate, rows in _rows(key, layer[block]).items()}
