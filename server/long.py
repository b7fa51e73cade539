"""Long sequences: the overview, the close-up, and what a compute process keeps of the last one."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

import engine
from engine import Estimate, LongReference, as_query
from server import conventions, figures
from server.queries import Query

KINDS = ("long", "closeup")


def check(query: Query) -> Estimate:
    """Returns what a query costs a process that keeps nothing of it yet, or raises InputError."""
    return engine.check_long(query.config, query.certificate)


def seconds(query: Query, kept: bool) -> float:
    """Returns what a query is estimated to take, where its sequence is `kept` or must be gone through first."""
    if query.kind == "closeup":
        return engine.estimate_closeup(query.config, kept).seconds
    whole = engine.estimate_long(query.config, query.certificate).seconds
    return whole - engine.estimate_long(query.config, False).seconds + 0.05 if kept else whole


def place(query: Query) -> str:
    """Returns the name of what a process keeps after a long analysis."""
    asked = repr((as_query(query.config), sorted(query.given.items())))
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


class LongReferences:
    """The last long sequence of this process: while somebody moves the close-up over it, only that is computed."""

    def __init__(self) -> None:
        self._last: LongReference | None = None
        self._place = ""

    def of(self, query: Query) -> LongReference:
        """Returns the reference of a query."""
        wanted = place(query)
        if self._last is None or self._place != wanted:
            self._last = None  # lets go of the old one first
            self._last = engine.long_reference(query.config, conventions.given(query))
            self._place = wanted
        return self._last


references = LongReferences()


def overview(query: Query) -> dict[str, Any]:
    """Returns a long sequence at a glance."""
    found = engine.analyze_long(query.config, None, frozenset(), query.certificate, references.of(query))
    return {field.name: getattr(found, field.name) for field in fields(found)}


def closeup(query: Query) -> dict[str, Any]:
    """Returns some steps of a long sequence as an analysis, with its figures over the steps' own numbers."""
    found = engine.close_up(references.of(query), range(query.first, query.end))
    drawn = {name: figures.moved(drawn, name, found.first) for name, drawn in figures.draw_all(found.analysis).items()}
    return {"first": found.first, "steps": found.steps, "analysis": found.analysis, "figures": drawn}
