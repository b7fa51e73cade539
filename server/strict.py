"""JSON read strictly: one value, bounded depth, not too many lists, few and unique names, no NaN, only real text."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from typing import Any

from pydantic_core import from_json

from server.problems import refuse

# These match wherever they are tried, and give nothing back, so that they run in linear time.
STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?(?:"|\Z)'
STRINGS = re.compile(rb"(?:" + STRING + rb'[^"\[\]{}]*+)++', re.DOTALL)  # and what stands between them
NAME = re.compile(rb'[^":]*+(?:' + STRING + rb'[^":]*+)*+(:|\Z)', re.DOTALL)
SQUARE = bytes.maketrans(b"{}", b"[]")
NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
MOST_NAMES = 1024  # of all objects: what an unknown one could have meant is looked for, which takes time
MOST_LISTS = 2**18  # and objects; in a body of 2 MiB only empty lists, or lists of one digit, are more


def loads(body: bytes, depth: int) -> Any:
    """Returns the value of a JSON text, or raises RefusedError (400)."""
    if many_names(body):
        limit = f"must have at most {MOST_NAMES} names"
        raise refuse(400, "body", f"over {MOST_NAMES} names", limit, "Send arrays as plain nested lists.")
    brackets = only_brackets(body)
    if brackets.count(b"[") > MOST_LISTS:
        limit = f"must have at most {MOST_LISTS} lists and objects"
        raise refuse(400, "body", f"over {MOST_LISTS} lists", limit, "Send fewer steps, or fewer sequences at once.")
    if deeper(brackets, depth):
        limit = f"must be nested at most {depth} deep"
        raise refuse(400, "body", f"nested over {depth} deep", limit, "Send arrays as plain nested lists.")
    try:
        from_json(body, allow_inf_nan=False)
        return json.loads(body.decode(), object_pairs_hook=_unique)
    except ValueError as error:
        raise refuse(
            400, "body", f"{len(body)} bytes", "must be JSON as RFC 8259 has it, in UTF-8", _where(error)
        ) from None


def many_names(body: bytes) -> bool:
    """Returns whether a JSON text has more than MOST_NAMES names; it looks no further than there."""
    found = (match[1] for match in NAME.finditer(body))
    return next(islice(filter(None, found), MOST_NAMES, None), None) is not None


def only_brackets(body: bytes) -> bytes:
    """Returns the brackets of a JSON text that stand outside its strings, all of them square."""
    return STRINGS.sub(b"", body).translate(SQUARE, NO_BRACKET)


def deeper(brackets: bytes, depth: int) -> bool:
    """Returns whether brackets nest deeper than that: empty pairs are taken away so many times."""
    too_many = b"[" * (depth + 1)
    for _ in range(depth):
        if too_many in brackets or not brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return too_many in brackets or b"[]" in brackets


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise refuse(400, "body", twice, "is given more than once in one object", "Give each name once.")
    return found


def _where(error: ValueError) -> str:
    """Returns the parser's own words, which name a place and do not repeat the input."""
    return f"The parser says: {str(error)[:120]}."
