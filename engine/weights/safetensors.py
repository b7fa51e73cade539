"""safetensors files, read from bytes and written to bytes: 8 bytes of length, a JSON header, then the numbers.

Only the header is interpreted, and everything in it is checked before a number is touched.
"""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.errors import InputError, refuse
from engine.weights.naming import label

HEADER_BYTES = 1 << 20
MOST_TENSORS = 64
MOST_AXES = 4
MOST_BYTES = 128 << 20
TYPES: dict[str, str] = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4",
                         "I16": "<i2", "I8": "<i1"}
"""dtypes that are read. BF16 is the upper half of an F32."""


def read_safetensors(data: bytes) -> dict[str, Array]:
    """Returns the tensors by name. Raises InputError for a header that is not true of the file."""
    header, body = _header(data)
    if not isinstance(header.pop("__metadata__", {}), dict):
        raise _false("__metadata__", "given", "must be a JSON object")
    if not 0 < len(header) <= MOST_TENSORS:
        raise _false("header", f"{len(header)} tensors", f"must describe 1 to {MOST_TENSORS} tensors")
    entries = [(name, *_entry(name, entry, len(body))) for name, entry in header.items()]
    end = 0
    for name, _, _, begin, stop in sorted(entries, key=lambda entry: (entry[3], entry[4])):
        if begin != end:
            raise _false(label(name), f"offset {begin}", f"must begin at byte {end}: tensors follow each other")
        end = stop
    if end != len(body):
        raise _false("header", f"{end} bytes described", f"must describe all {len(body)} bytes of the file")
    return {name: _numbers(body[begin:stop], kind).reshape(shape) for name, kind, shape, begin, stop in entries}


def write_safetensors(arrays: Mapping[str, Array]) -> bytes:
    """Returns a file of float64 tensors, which every safetensors library reads."""
    header: dict[str, object] = {}
    body = b""
    for name, array in arrays.items():
        numbers = np.ascontiguousarray(array, dtype="<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(np.shape(array)),
                        "data_offsets": [len(body), len(body) + len(numbers)]}
        body += numbers
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def _header(data: bytes) -> tuple[dict[str, Any], bytes]:
    if not 8 <= len(data) <= MOST_BYTES:
        raise _false("file", f"{len(data)} bytes", f"must have 8 to {MOST_BYTES} bytes")
    (length,) = struct.unpack_from("<Q", data)
    if length > min(HEADER_BYTES, len(data) - 8):
        raise _false("header", f"{length} bytes", f"must have at most {HEADER_BYTES}, and stand in the file")
    try:
        header = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except InputError:
        raise
    except (ValueError, RecursionError):
        raise _false("header", "no JSON", "must be a JSON object in UTF-8") from None
    if not isinstance(header, dict):
        raise _false("header", type(header).__name__, "must be a JSON object")
    return header, data[8 + length :]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _false("header", label(twice), "is there twice: a name must be unique")
    return out


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _entry(name: str, entry: object, size: int) -> tuple[str, tuple[int, ...], int, int]:
    """Returns (dtype, shape, begin, end) of a tensor whose header entry is true of itself."""
    known = isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"}
    if not isinstance(entry, dict) or not known:
        raise _false(label(name), "given", "must have dtype, shape and data_offsets, and nothing else")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise _false(label(name), f"dtype {kind}", f"must be one of {', '.join(TYPES)}")
    if not _counts(shape) or len(shape) > MOST_AXES:
        raise _false(label(name), "shape", f"must be at most {MOST_AXES} whole numbers from 0")
    if not _counts(offsets) or len(offsets) != 2 or not offsets[0] <= offsets[1] <= size:
        raise _false(label(name), "data_offsets", f"must be two rising numbers up to {size}, inside the file")
    expected = math.prod(shape) * np.dtype(TYPES[kind]).itemsize
    if offsets[1] - offsets[0] != expected:
        raise _false(label(name), f"{offsets[1] - offsets[0]} bytes", f"must have {expected} bytes for its shape")
    return kind, tuple(shape), offsets[0], offsets[1]


def _counts(value: object) -> bool:
    return isinstance(value, list) and all(type(number) is int and 0 <= number < 1 << 40 for number in value)


def _numbers(data: bytes, kind: str) -> Array:
    stored = np.frombuffer(data, TYPES[kind])
    if kind == "BF16":
        stored = (stored.astype(np.uint32) << 16).view(np.float32)
    return stored.astype(np.float64 if kind[0] != "I" else np.int64)


def _false(field: str, value: object, limit: str) -> InputError:
    return refuse(field, value, limit, "Write the file anew with the safetensors library.")
