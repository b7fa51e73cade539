"""The runs that are kept: the public list, nothing else."""

from __future__ import annotations

from server.store.chosen import open_store
from server.store.errors import StoreError
from server.store.rows import STATUSES, Append, Bounds, Event, NewEvent, NewRun, RunRow, new_id
from server.store.store import Store
from server.store.writer import Writer

__all__ = [
    "STATUSES",
    "Append",
    "Bounds",
    "Event",
    "NewEvent",
    "NewRun",
    "RunRow",
    "Store",
    "StoreError",
    "Writer",
    "new_id",
    "open_store",
]
