"""The one encoder: what the engine returns, as JSON, as binary for the page, as a table, as NumPy's archive.

Dataclasses and mappings become objects; arrays, numbers and lists of numbers are leaves. A number
that is not finite is never dropped in silence: JSON has null in its place and, beside the array,
`<name>_nonfinite` with the flat indices; the other forms keep it as it is.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

Array = NDArray[Any]
Leaf = Callable[[Array], tuple[Any, Any]]  # an array -> its form, and what stands beside it (None: nothing)
MAGIC = b"UNR1"
PLAIN = frozenset({str, int, bool, type(None)})
LISTS = frozenset({list, tuple})


def encode_json(value: Any) -> bytes:
    """Returns JSON with the shortest digits that read back as the same number."""
    return to_json(_walk(value, _as_list))


def encode_binary(value: Any) -> bytes:
    """Returns `UNR1`, the header's length, a JSON header, and the arrays, each on a multiple of 8 bytes."""
    store = _Store()
    header = to_json(_walk(value, store.put))
    header += b" " * (-(8 + len(header)) % 8)
    return b"".join([MAGIC, struct.pack("<I", len(header)), header, *store.chunks])


def encode_npz(value: Any) -> bytes:
    """Returns NumPy's archive: every leaf under its dotted path, words as strings (no pickle)."""
    buffer = io.BytesIO()
    np.savez(buffer, **dict(_flat(value, "")))  # type: ignore[arg-type]
    return buffer.getvalue()


def nonfinite(array: Array) -> dict[str, list[int]]:
    """Returns the flat indices of NaN, +inf and -inf; only those that there are."""
    flat = array.ravel()
    found = {"nan": np.isnan(flat), "+inf": np.isposinf(flat), "-inf": np.isneginf(flat)}
    return {name: np.flatnonzero(mask).tolist() for name, mask in found.items() if mask.any()}


def _items(value: Any) -> Iterable[tuple[str, Any]] | None:
    """Returns the named parts of an object, or None if the value is not one."""
    kind = type(value)
    if kind in LISTS:
        return None
    names = _names(kind)  # type: ignore[arg-type]  # a class is a key, whatever mypy takes its __hash__ for
    if names is not None:
        return [(name, getattr(value, name)) for name in names]
    return value.items() if isinstance(value, Mapping) else None


@cache
def _names(kind: type) -> tuple[str, ...] | None:
    """Returns the names of a dataclass' fields; None for any other class."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


def _leaf(value: Any) -> Array | None:
    """Returns an array for an array, a number, or a list of numbers or arrays; None for anything else."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (float, np.generic)):
        return np.asarray(value)
    if isinstance(value, (list, tuple)) and value and _numeric(value[0]) and all(map(_numeric, value)):
        return np.asarray(value)
    return None


def _numeric(value: Any) -> bool:
    return isinstance(value, (int, float, np.generic, np.ndarray)) and not isinstance(value, bool)


def _plain(value: Any) -> bool:
    """Returns whether a value has the same form everywhere."""
    kind = type(value)
    return kind in PLAIN or (kind is float and math.isfinite(value))


def _walk(value: Any, leaf: Leaf) -> Any:
    """Returns the value as JSON takes it, with every array in the form that `leaf` gives it."""
    if _plain(value):
        return value
    parts = _items(value)
    if parts is not None:
        return _object(parts, leaf)
    array = _leaf(value)
    if array is not None:
        form, beside = leaf(array)
        if beside:
            raise ValueError("a value that is not finite stands where it has no name")
        return form
    if isinstance(value, (list, tuple)):
        return [_walk(item, leaf) for item in value]
    if isinstance(value, (str, int)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be encoded")


def _object(parts: Iterable[tuple[str, Any]], leaf: Leaf) -> dict[str, Any]:
    """Returns an object of these parts; what is not finite in an array stands beside it."""
    out: dict[str, Any] = {}
    for name, item in parts:
        if _plain(item):
            out[name] = item
        elif (array := _leaf(item)) is None:
            out[name] = _walk(item, leaf)
        else:
            out[name], beside = leaf(array)
            if beside:
                out[f"{name}_nonfinite"] = beside
    return out


def _as_list(array: Array) -> tuple[Any, Any]:
    if array.dtype.kind != "f":
        return array.tolist(), None
    bad = ~np.isfinite(array)
    if not bad.any():
        return array.tolist(), None
    holes = array.astype(object)
    holes[bad] = None
    return holes.tolist(), nonfinite(array)


class _Store:
    """The arrays of one binary answer. An array that stands in two places is stored once."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self._size = 0
        self._seen: dict[int, dict[str, Any]] = {}
        self._kept: list[Array] = []  # so that no two ever have the same id

    def put(self, array: Array) -> tuple[Any, Any]:
        """Stores an array; a finite number stays in the header."""
        if array.ndim == 0 and (array.dtype.kind != "f" or np.isfinite(array)):
            return array.item(), None
        place = id(array)
        if place not in self._seen:
            self._seen[place] = {"$array": self._add(*_portable(array))}
            self._kept.append(array)
        return self._seen[place], None

    def _add(self, array: Array, dtype: str) -> dict[str, Any]:
        data = array.tobytes()
        entry = {"dtype": dtype, "shape": list(array.shape), "offset": self._size}
        self.chunks += [data, bytes(-len(data) % 8)]
        self._size += len(data) + -len(data) % 8
        return entry


def _portable(array: Array) -> tuple[Array, str]:
    """Returns the array in a type that a browser has: f8, f4, i4 or u1."""
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8), "u1"
    if kind in "iu":
        fits = array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31)
        return (array.astype("<i4"), "i4") if fits else (array.astype("<f8"), "f8")
    if kind == "f":
        return (np.asarray(array, "<f4"), "f4") if array.dtype.itemsize == 4 else (np.asarray(array, "<f8"), "f8")
    raise TypeError(f"an array of {array.dtype} cannot be encoded")


def _flat(value: Any, path: str) -> Iterator[tuple[str, Array]]:
    parts = _items(value)
    if path == "config":
        yield path, np.asarray(json.dumps(_walk(value, _as_list)))
    elif parts is not None:
        for name, item in parts:
            yield from _flat(item, f"{path}.{name}" if path else name)
    elif (array := _leaf(value)) is not None:
        yield path, array
    elif isinstance(value, (list, tuple)) and any(_items(item) is not None for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}.{index}")
    elif value is not None:
        yield path, np.asarray(value, dtype=np.str_ if isinstance(value, (list, tuple)) else None)
