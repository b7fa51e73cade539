"""Which tensor is which: a framework's names sorted into layers, slots and the tensors around them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.arrays import Array
from engine.errors import InputError, Problem, refuse, shorten
from engine.weights.convention import Convention, Form, Outer

LONGEST_NAME = 256
MOST_TENSORS = 4096
AROUND = (Outer("E", r"^E$", "E"), Outer("W_hy", r"^W_hy$", "W_hy"), Outer("b_y", r"^b_y$", "b_y"))
"""The engine's own names for what stands around the layers are understood in every convention."""


@dataclass(frozen=True)
class Named:
    """A tensor and the name that the caller gave it."""

    name: str
    array: Array


@dataclass
class Sorted:
    """What was given: per layer slot -> tensor; outside the layers block -> tensor; and what is wrong."""

    layers: list[dict[str, Named]] = field(default_factory=list)
    around: dict[str, tuple[Outer, Named]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def normal(name: str) -> str:
    """Returns a name with "/" for the dots of PyTorch and the "__" of files, without TensorFlow's ":0"."""
    return re.sub(r"\.|__", "/", name.removesuffix(":0"))


def as_array(name: str, value: object, finite: bool = True) -> Array:
    """Returns the value as a float64 array, finite where that is asked. Raises InputError for anything else."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise refuse(name, "a ragged list", "must be an array of numbers", "Give as many in each list.") from None
    if array.dtype.kind not in "fiub":
        raise refuse(name, f"type {array.dtype}", "must be an array of real numbers", "Give numbers.")
    array = array.astype(np.float64)
    if finite and not np.isfinite(array).all():
        raise refuse(name, "a value that is not finite", "must be finite", "Replace NaN and infinity.")
    return array


def checked_names(arrays: Mapping[str, object]) -> dict[str, tuple[str, object]]:
    """Returns normal name -> (given name, value). Raises InputError for too many, too long or equal names."""
    if not 0 < len(arrays) <= MOST_TENSORS:
        raise refuse("weights", f"{len(arrays)} tensors", f"must be 1 to {MOST_TENSORS}", "Give the layers' tensors.")
    out: dict[str, tuple[str, object]] = {}
    for name, value in arrays.items():
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise refuse("weights", shorten(name), f"a tensor's name has 1 to {LONGEST_NAME} characters", "Rename it.")
        if normal(name) in out:
            raise refuse(label(name), "given twice", f"is the same tensor as {label(out[normal(name)][0])}",
                         "Leave one out.")
        out[normal(name)] = (name, value)
    return out


def label(name: str) -> str:
    """Returns a caller's name in a form that is safe and short enough to be printed."""
    return shorten(name, 80).strip("'")


def sort_out(convention: Convention, cell: str, form: Form, arrays: Mapping[str, object],
             finite: bool = True) -> Sorted:
    """Returns the tensors by layer and slot. What has no place is in `problems`; so is a layer that is missing."""
    out, groups = Sorted(), dict[tuple[str, str], dict[str, Named]]()
    leaves = "|".join(re.escape(slot.name) for slot in form.slots)
    pattern = re.compile(convention.pattern.format(leaves=leaves))
    for name, (given, value) in checked_names(arrays).items():
        try:
            tensor = Named(label(given), as_array(label(given), value, finite))
        except InputError as error:
            out.problems.extend(error.problems)
            continue
        outer = next((o for o in (*convention.outer, *AROUND) if re.search(o.pattern, name)), None)
        match = pattern.search(name)
        if reason := _refused(convention, name):
            out.problems.append(Problem(tensor.name, "given", f"belongs to {reason}", "Give a plain layer's weights."))
        elif outer and outer.block not in out.around:
            out.around[outer.block] = (outer, tensor)
        elif match and not outer:
            groups.setdefault(_group(match), {})[match["leaf"]] = tensor
        else:
            out.problems.append(_stranger(convention, cell, form, name, tensor))
    ordered = sorted(groups, key=lambda group: tuple(natural(part) for part in group))
    out.layers.extend(groups[group] for group in ordered)
    out.problems.extend(_gaps(ordered))
    return out


def natural(text: str) -> str:
    """Returns a key that sorts lstm, lstm_2, lstm_10 in this order."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(12), text)


def _group(match: re.Match[str]) -> tuple[str, str]:
    parts = match.groupdict()
    return (parts.get("group") or parts.get("prefix") or "", parts.get("number") or "")


def _gaps(groups: list[tuple[str, str]]) -> list[Problem]:
    """Layers that bear numbers have all of them, from 0, under each prefix."""
    out = []
    for prefix in dict.fromkeys(prefix for prefix, _ in groups):
        numbers = [int(number) for other, number in groups if other == prefix and number]
        if numbers != list(range(len(numbers))):
            missing = next(n for n in range(len(numbers) + 1) if n not in numbers)
            out.append(Problem("weights", f"layers {numbers}", f"layer {missing} is missing",
                               "Number the layers from 0, without a gap."))
    return out


def _refused(convention: Convention, name: str) -> str:
    return next((reason for pattern, reason in convention.refused if re.search(pattern, name)), "")


def _stranger(convention: Convention, cell: str, form: Form, name: str, tensor: Named) -> Problem:
    if any(re.search(outer.pattern, name) for outer in (*convention.outer, *AROUND)):
        return Problem(tensor.name, "given", "is a second tensor for one place", "Give one readout, one embedding.")
    known = [slot.name for slot in form.slots] + [normal(outer.name) for outer in convention.outer]
    near = difflib.get_close_matches(name.rpartition("/")[2][:64], known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Leave it out; known are {', '.join(known[:12])}."
    return Problem(tensor.name, f"shape {tensor.array.shape}", f"is no tensor of {convention.title}'s {cell}", hint)
