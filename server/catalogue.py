"""What can be chosen: the options, presets and questions that the page and API clients are built from."""

from __future__ import annotations

from functools import cache
from typing import Any

from engine import OPTION, OPTIONS, PRESETS, QUESTIONS, Option, Preset, as_query
from server.figures import NAMES


def option(entry: Option) -> dict[str, Any]:
    """Returns one row of the options' table as JSON values."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "help": entry.help,
        "default": entry.default,
        "low": entry.low,
        "high": entry.high,
        "choices": dict(entry.choices) if entry.choices else None,
        "when": [entry.when[0], list(entry.when[1])] if entry.when else None,
    }


def chosen(entry: Preset) -> dict[str, Any]:
    """Returns a preset or a question, its config as the query that the address holds."""
    return {"name": entry.name, "title": entry.title, "help": entry.help, "config": as_query(entry.config)}


def choices(name: str) -> list[dict[str, str]]:
    """Returns the choices of one option, each with its meaning."""
    return [{"name": choice, "help": text} for choice, text in (OPTION[name].choices or {}).items()]


@cache
def catalogue() -> dict[str, Any]:
    """Returns everything that can be chosen."""
    return {
        "options": [option(entry) for entry in OPTIONS],
        "presets": [chosen(entry) for entry in PRESETS],
        "questions": [chosen(entry) for entry in QUESTIONS],
        "figures": list(NAMES),
    }
