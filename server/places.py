"""The names by which the front process knows what each compute process keeps of its earlier tasks."""

from __future__ import annotations

from typing import NamedTuple

import engine
from server import long, references
from server.queries import Query


class Place(NamedTuple):
    """What a process keeps: one thing of each shelf, the last."""

    shelf: str
    name: str


def place_of(query: Query) -> Place | None:
    """Returns the place of what a process keeps after a query, and can use for it; None where it keeps nothing.

    A name that two configs share by chance costs time alone: the process itself knows what it keeps."""
    if query.kind in long.KINDS:
        return Place("long", long.place(query))
    if references.keeps(query):
        return Place("reference", str(hash(engine.shared_part(query.config))))
    return None
