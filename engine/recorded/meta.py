"""The JSON of a trace: every field of it is checked, and one that is not known is refused."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from engine.arrays import Ints
from engine.errors import InputError
from engine.recorded import limits
from engine.recorded.archive import bad
from engine.recorded.expected import declared_of
from engine.recorded.recording import Origin

FORMAT, VERSION = "unrolled-trace", 1
FIELDS = ("format", "version", "tool", "framework", "declared", "rows", "parameters", "batch", "windows", "notes",
          "verified")
OPTIONAL = ("declared", "notes", "verified")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)', re.DOTALL)
REMEDY = "See the table of fields in docs/traces.md."


def about_of(text: bytes, steps: int) -> Origin:
    """Returns what the JSON says, for a trace of so many steps. Raises InputError for each field that is wrong."""
    meta = _object(text)
    if meta.get("format") != FORMAT:
        raise _wrong("format", meta.get("format"), f'must be "{FORMAT}"')
    if meta.get("version") != VERSION or isinstance(meta.get("version"), bool):
        raise _wrong("version", meta.get("version"), f"must be {VERSION}, the one version that is read here",
                     "Write the trace with a tap from this server.")
    for name in meta:
        if name not in FIELDS:
            near = get_close_matches(name[:64], FIELDS, 1)
            raise _wrong(name, "given", "is no field of a trace", f"Did you mean {near[0]}?" if near else REMEDY)
    for name in FIELDS:
        if name not in meta and name not in OPTIONAL:
            raise _wrong(name, "missing", "must be given")
    return Origin(
        tool=_words("tool", meta["tool"], limits.LONGEST_NAME),
        framework=_words("framework", meta["framework"], limits.LONGEST_NAME),
        declared=None if meta.get("declared") is None else declared_of(meta["declared"], "declared"),
        rows=_names("rows", meta["rows"], 1, limits.MOST_ROWS),
        parameters=_names("parameters", meta["parameters"], 0, limits.MOST_PARAMETERS),
        batch=_whole("batch", meta["batch"], 1, limits.MOST_BATCH),
        windows=_windows(meta["windows"], steps),
        notes=_notes(meta.get("notes", [])),
        verified=_verified(meta.get("verified")))


def _object(text: bytes) -> dict[str, Any]:
    if (depth := _depth(text)) > limits.META_DEPTH:
        raise _wrong("meta", f"nested {depth} deep", f"must be nested at most {limits.META_DEPTH} deep")
    try:
        found = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except InputError:
        raise
    except (ValueError, RecursionError):
        raise _wrong("meta", "no JSON", "must be a JSON object in UTF-8, without NaN or endless numbers",
                     "Store numpy.frombuffer(json.dumps(fields).encode(), numpy.uint8).") from None
    if not isinstance(found, dict):
        raise _wrong("meta", type(found).__name__, "must be a JSON object")
    return found


def _depth(text: bytes) -> int:
    """Returns how deep the brackets nest, those in strings left out."""
    plain = np.frombuffer(STRING.sub(b"", text), np.uint8)
    opened, closed = (np.isin(plain, np.frombuffer(brackets, np.uint8)) for brackets in (b"[{", b"]}"))
    return int((opened.astype(np.int64) - closed).cumsum().max(initial=0))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _wrong("meta", twice, "is there twice: a field must be unique")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _words(field: str, value: object, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not _printable(value):
        shown = f"{len(value)} characters" if isinstance(value, str) else type(value).__name__
        raise _wrong(field, shown, f"must be printable text of at most {most} characters")
    return value


def _printable(text: str) -> bool:
    return all(character.isprintable() for character in text)


def _names(field: str, value: object, fewest: int, most: int) -> tuple[str, ...]:
    if not isinstance(value, list) or not fewest <= len(value) <= most:
        raise _wrong(field, _size(value), f"must be a list of {fewest} to {most} names")
    names = tuple(_words(field, name, limits.LONGEST_NAME) for name in value)
    if "" in names or len(set(names)) != len(names):
        raise _wrong(field, "an empty name, or one given twice", "must be names that differ from each other")
    return names


def _notes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > limits.MOST_NOTES:
        raise _wrong("notes", _size(value), f"must be a list of at most {limits.MOST_NOTES} sentences")
    return tuple(_words("notes", note, limits.LONGEST_NOTE) for note in value)


def _whole(field: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        shown = value if isinstance(value, int) and abs(value) < 10**12 else type(value).__name__
        raise _wrong(field, shown, f"must be a whole number from {low} to {high}")
    return value


def _windows(value: object, steps: int) -> Ints:
    if not isinstance(value, list) or not 0 < len(value) <= limits.MOST_WINDOWS:
        raise _wrong("windows", _size(value), f"must be a list of 1 to {limits.MOST_WINDOWS} first steps")
    starts = np.array([_whole("windows", start, 0, steps - 1) for start in value], np.int64)
    if starts[0] != 0 or (np.diff(starts) <= 0).any():
        raise _wrong("windows", f"{len(starts)} starts", "must begin with 0 and ascend")
    return starts


def _verified(value: object) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > limits.MOST_VERIFIED:
        raise _wrong("verified", _size(value), f"must be null, or at most {limits.MOST_VERIFIED} numbers by name")
    return {_words("verified", name, limits.LONGEST_NAME): _number(number) for name, number in value.items()}


def _number(value: object) -> float:
    if isinstance(value, float | int) and not isinstance(value, bool) and abs(value) < 1e300 and math.isfinite(value):
        return float(value)
    raise _wrong("verified", type(value).__name__, "must be finite numbers")


def _size(value: object) -> str:
    return f"{len(value)} entries" if isinstance(value, list | dict) else type(value).__name__


def _wrong(field: str, value: object, limit: str, remedy: str = REMEDY) -> InputError:
    return bad(field, value, limit, remedy)
