"""From a framework's named tensors to pieces: what is missing, what has a wrong shape, whose weights they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.arrays import Array
from engine.errors import InputError, Problem
from engine.weights.catalogue import CONVENTIONS
from engine.weights.convention import Convention, Form, Key, Outer, Pieces, Slot
from engine.weights.layout import split, turned
from engine.weights.naming import Named, Sorted, sort_out


@dataclass(frozen=True)
class Read:
    """A whole model in pieces, a dict a layer, with the tensors around the layers as the engine lays them out."""

    layers: list[Pieces]
    around: dict[str, Array]


def read(convention: Convention, key: Key, arrays: Mapping[str, object], hidden: int | None,
         finite: bool = True) -> Read:
    """Returns the tensors as pieces; without `finite` NaN and infinity are numbers like others.

    Raises InputError with every problem: a tensor that is missing, unknown, or of a wrong shape; where the tensors
    are another cell's or another framework's weights it says whose."""
    try:
        return _read(convention, key, arrays, hidden, finite)
    except InputError as error:
        whose = _whose(convention, key, arrays)
        if not whose:
            raise
        raise InputError([Problem("weights", f"{len(arrays)} tensors", *whose), *error.problems]) from None


def _read(convention: Convention, key: Key, arrays: Mapping[str, object], hidden: int | None, finite: bool) -> Read:
    form = convention.forms[key]
    found = sort_out(convention, key[0], form, arrays, finite)
    problems = list(found.problems)
    if not found.layers:
        problems.extend(_missing(convention, key, form, {}, 0))
    layers: list[Pieces] = []
    for number, layer in enumerate(found.layers):
        missing = _missing(convention, key, form, layer, number)
        try:
            D, H = _sizes(form, layer, hidden)
            wrong = [_shape_problem(slot, layer[slot.name], D if number == 0 else H, H) for slot in form.slots
                     if slot.name in layer and not missing]
        except InputError as error:
            wrong = list(error.problems)
        problems.extend([*missing, *(problem for problem in wrong if problem)])
        if not problems:
            layers.append(_pieces(form, layer, D, H))
            hidden = H
    if problems:
        raise InputError(problems)
    return Read(layers, _around(found, layers))


def _missing(convention: Convention, key: Key, form: Form, layer: Mapping[str, Named], number: int) -> list[Problem]:
    names = [slot.name for slot in form.slots if not slot.optional and slot.name not in layer]
    return [Problem(convention.path(key, number, number + 1, name), "missing",
                    f"is needed for layer {number} of {convention.title}'s {key[0]}",
                    f"Give the tensors of one {key[0]} as {convention.title} names them.") for name in names]


def _sizes(form: Form, layer: Mapping[str, Named], hidden: int | None) -> tuple[int, int]:
    """Returns D and H as the input side's first tensor has them, H as asked where it was asked."""
    slot = next((slot for slot in form.slots if "x" in slot.sides and slot.name in layer), None)
    if slot is None:
        return 1, hidden or 1  # the tensor that would tell is missing, and is named as missing
    tensor = layer[slot.name]
    shape = tensor.array.shape[1:] if slot.leading else tensor.array.shape
    if len(shape) != 2:
        raise InputError(_wrong(slot, tensor, f"must have the axes ({slot.axes})"))
    rows, width = shape if slot.form == "rows" else shape[::-1]
    H = hidden or rows // len(slot.gates)
    D = width - (H if "h" in slot.sides else 0)
    if rows % len(slot.gates) or D < 1 or H < 1:
        raise InputError(_wrong(slot, tensor, f"must have the axes ({slot.axes})"))
    return D, H


def _shape_problem(slot: Slot, tensor: Named, D: int, H: int) -> Problem | None:
    expected = slot.shape(D, H)
    if tensor.array.shape == expected:
        return None
    return _wrong(slot, tensor, f"must have shape ({slot.axes}) = {expected}")


def _wrong(slot: Slot, tensor: Named, limit: str) -> Problem:
    return Problem(tensor.name, f"shape {tensor.array.shape}", limit,
                   "Check the order of the axes, the cell and the hidden width.")


def _pieces(form: Form, layer: Mapping[str, Named], D: int, H: int) -> Pieces:
    out: Pieces = {}
    for slot in form.slots:
        if slot.name in layer:
            out.update(split(slot, layer[slot.name].array, D, H))
    return turned(form, out)


def _around(found: Sorted, layers: list[Pieces]) -> dict[str, Array]:
    """Returns E, W_hy and b_y, once their shapes fit the layers they stand around."""
    H = next(piece.shape[1] for (side, _), piece in layers[-1].items() if side == "h")
    out = {block: tensor.array.T if outer.transposed else tensor.array
           for block, (outer, tensor) in found.around.items()}
    outputs = out["W_hy"].shape[0] if "W_hy" in out and out["W_hy"].ndim == 2 else None
    expected = {"W_hy": (outputs, H), "b_y": out["b_y"].shape[:1] if outputs is None and "b_y" in out else (outputs,)}
    if "E" in out:
        D = next(piece.shape[1] for (side, _), piece in layers[0].items() if side == "x")
        expected["E"] = (*out["E"].shape[:1], D)
    problems = [_around_problem(*found.around[block], expected[block]) for block in out
                if out[block].shape != expected[block]]
    if problems:
        raise InputError(problems)
    return out


def _around_problem(outer: Outer, tensor: Named, expected: tuple[int | None, ...]) -> Problem:
    axes = {"E": "symbols, inputs", "W_hy": "outputs, hidden", "b_y": "outputs"}[outer.block]
    sizes = ["any" if size is None else str(size) for size in expected]
    if outer.transposed:
        axes, sizes = ", ".join(axes.split(", ")[::-1]), sizes[::-1]
    return Problem(tensor.name, f"shape {tensor.array.shape}", f"must have shape ({axes}) = ({', '.join(sizes)})",
                   "Check the order of the axes.")


def _whose(asked: Convention, key: Key, arrays: Mapping[str, object]) -> tuple[str, str] | None:
    """Returns, of weights that fit another cell or convention, what they are and the remedy."""
    if _fits(asked, key, arrays):
        return None  # only the hidden width was not the one asked for
    others = sorted(CONVENTIONS.values(), key=lambda convention: convention is not asked)
    for convention in others:
        for other in convention.forms:
            if (convention, other) != (asked, key) and _fits(convention, other, arrays):
                reset = f", reset_after = {str(other[1]).lower()}" if other[0] == "gru" else ""
                return (f"are the weights of {convention.title}'s {other[0]}",
                        f"Set convention = {convention.name}, cell = {other[0]}{reset}.")
    return None


def _fits(convention: Convention, key: Key, arrays: Mapping[str, object]) -> bool:
    try:
        _read(convention, key, arrays, None, finite=True)
    except InputError:
        return False
    return True
