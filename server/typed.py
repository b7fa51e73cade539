"""In an address and on the command line every value is text; in JSON a number must be a number. (leaf)"""

from __future__ import annotations

from collections.abc import Mapping

from engine import InputError, Option, Problem
from engine.errors import shorten

KINDS = {"int": "a number", "float": "a number", "bool": "true or false", "series": "a list of numbers"}


def require_typed(given: Mapping[str, object], options: Mapping[str, Option], csv: bool = False) -> None:
    """Raises InputError for strings in place of numbers; `csv` allows a whole series as the text of a CSV file."""
    problems = [
        Problem(name, shorten(given[name]), f"must be {KINDS[option.kind]}, not a string", f"{option.help}")
        for name, option in options.items()
        if name in given and option.kind in KINDS and _has_text(given[name], csv and option.kind == "series")
    ]
    if problems:
        raise InputError(problems)


def _has_text(value: object, csv: bool) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, str) or _has_text(item, csv) for item in value)
    return isinstance(value, str) and not csv
