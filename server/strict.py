"""JSON read strictly: one value, bounded depth, few and unique names, no NaN, only readable text."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from pydantic_core import from_json

from server.problems import refuse

STRING = re.compile(rb'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)', re.DOTALL)  # matches at every quote, so it runs in linear time
BRACKET = re.compile(rb"[\[\]{}]")
MOST_NAMES = 1024  # of all objects: what an unknown one could have meant is looked for, which takes time


def loads(body: bytes, depth: int) -> Any:
    """Returns the value of a JSON text, or raises RefusedError (400)."""
    plain = outside(body)
    if deeper(plain, depth):
        limit = f"must be nested at most {depth} deep"
        raise refuse(400, "body", f"nested over {depth} deep", limit, "Send arrays as plain nested lists.")
    if (names := plain.count(b":")) > MOST_NAMES:
        limit = f"must have at most {MOST_NAMES} names"
        raise refuse(400, "body", f"{names} names", limit, "Send arrays as plain nested lists.")
    try:
        from_json(body, allow_inf_nan=False)
        return json.loads(body.decode(), object_pairs_hook=_unique)
    except ValueError as error:
        raise refuse(
            400, "body", f"{len(body)} bytes", "must be JSON as RFC 8259 has it, in UTF-8", _where(error)
        ) from None


def outside(body: bytes) -> bytes:
    """Returns what of a JSON text stands outside of its strings."""
    return STRING.sub(b"", body)


def deeper(plain: bytes, depth: int) -> bool:
    """Returns whether brackets nest deeper than that; it looks no further than there."""
    level = 0
    for bracket in BRACKET.finditer(plain):
        level += 1 if bracket[0] in b"[{" else -1
        if level > depth:
            return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise refuse(400, "body", twice, "is given more than once in one object", "Give each name once.")
    return found


def _where(error: ValueError) -> str:
    """Returns the parser's own words, which name a place and do not repeat the input."""
    return f"The parser says: {str(error)[:120]}."
