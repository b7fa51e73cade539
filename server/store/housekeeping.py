"""What keeps the store from growing without end: a quota for each visitor, a time to live, a reserve of the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import Connection, delete, func, select

from server.store.errors import CANNOT_OPEN, StoreError
from server.store.rows import UNFINISHED
from server.store.tables import runs

DAY = 86_400.0


def check_space(folder: Path | None, reserved: int) -> None:
    """Raises StoreError if the disk has less space left than is reserved for the runs that go on."""
    if folder is None or reserved <= 0:
        return
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StoreError(*CANNOT_OPEN) from error
    if free < reserved:
        limit = f"the disk has {free:,} bytes left, and a new run needs {reserved:,}"
        raise StoreError("full", 507, limit, "Delete old runs, or free some space.")


def make_room(connection: Connection, visitor: str, most: int) -> int:
    """Returns how many of a visitor's runs were deleted: beyond `most`, the oldest that are finished go first."""
    mine = runs.c.visitor == visitor
    surplus = (connection.scalar(select(func.count()).select_from(runs).where(mine)) or 0) - most
    if surplus <= 0:
        return 0
    oldest = select(runs.c.number).where(mine, runs.c.status.not_in(UNFINISHED)).order_by(runs.c.number).limit(surplus)
    return connection.execute(delete(runs).where(runs.c.number.in_(oldest.scalar_subquery()))).rowcount


def expire(connection: Connection, days: float, now: float) -> int:
    """Returns how many finished runs were deleted for their age; `days` 0 keeps them for ever."""
    if days <= 0:
        return 0
    old = (runs.c.updated < now - days * DAY, runs.c.status.not_in(UNFINISHED))
    return connection.execute(delete(runs).where(*old)).rowcount
