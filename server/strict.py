"""JSON read strictly: one value, bounded depth, no duplicate keys, no NaN, only readable text."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from pydantic_core import from_json

from server.problems import refuse

STRING = re.compile(rb'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)', re.DOTALL)  # matches at every quote, so it runs in linear time
BRACKET = re.compile(rb"[\[\]{}]")


def loads(body: bytes, depth: int) -> Any:
    """Returns the value of a JSON text, or raises RefusedError (400)."""
    if deepest(body) > depth:
        raise refuse(
            400,
            "body",
            f"nested {deepest(body)} deep",
            f"must be nested at most {depth} deep",
            "Send arrays as plain nested lists.",
        )
    try:
        from_json(body, allow_inf_nan=False)
        return json.loads(body.decode(), object_pairs_hook=_unique)
    except ValueError as error:
        raise refuse(
            400, "body", f"{len(body)} bytes", "must be JSON as RFC 8259 has it, in UTF-8", _where(error)
        ) from None


def deepest(body: bytes) -> int:
    """Returns how deep the brackets nest, those in strings left out."""
    level = most = 0
    for bracket in BRACKET.findall(STRING.sub(b"", body)):
        level += 1 if bracket in b"[{" else -1
        most = max(most, level)
    return most


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise refuse(400, "body", twice, "is given more than once in one object", "Give each name once.")
    return found


def _where(error: ValueError) -> str:
    """Returns the parser's own words, which name a place and do not repeat the input."""
    return f"The parser says: {str(error)[:120]}."
