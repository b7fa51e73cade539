"""What can be chosen: the options, presets and questions that the page and the API's clients are built from."""

from __future__ import annotations

from functools import cache
from typing import Any

from engine.config import OPTIONS, Option


def option(entry: Option) -> dict[str, Any]:
    """Returns one row of the options' table as JSON values."""
    return {"name": entry.name, "kind": entry.kind, "help": entry.help, "default": entry.default,
            "low": entry.low, "high": entry.high, "choices": dict(entry.choices) if entry.choices else None,
            "when": [entry.when[0], list(entry.when[1])] if entry.when else None}


@cache
def catalogue() -> dict[str, Any]:
    """Returns everything that can be chosen."""
    return {"options": [option(entry) for entry in OPTIONS], "presets": [], "questions": []}
