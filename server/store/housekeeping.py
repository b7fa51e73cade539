"""What keeps the store from growing without end: a quota for each visitor, a time to live, a reserve of the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, delete, func, literal, select, update

from server.store.errors import CANNOT_OPEN, StoreError
from server.store.rows import UNFINISHED
from server.store.tables import HIDDEN, events, moments, runs, shown

DAY = 86_400.0
PIECE = 250
"""events that are taken away at once"""


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
    """Returns how many of a visitor's runs were hidden: beyond `most`, the oldest that are finished go first."""
    mine = and_(runs.c.visitor == visitor, shown)
    surplus = (connection.scalar(select(func.count()).select_from(runs).where(mine)) or 0) - most
    if surplus <= 0:
        return 0
    oldest = select(runs.c.number).where(mine, runs.c.status.not_in(UNFINISHED)).order_by(runs.c.number).limit(surplus)
    return _hide(connection, runs.c.number.in_(oldest.scalar_subquery()))


def expire(connection: Connection, days: float, now: float) -> int:
    """Returns how many finished runs were hidden for their age; `days` 0 keeps them for ever."""
    if days <= 0:
        return 0
    return _hide(connection, and_(runs.c.updated < now - days * DAY, runs.c.status.not_in(UNFINISHED)))


def hide(connection: Connection, run: str) -> bool:
    """Returns whether there was this run. Nobody finds it any more; `sweep` takes away what it was made of."""
    return _hide(connection, runs.c.id == run) > 0


def _hide(connection: Connection, which: ColumnElement[bool]) -> int:
    """A hidden run belongs to nobody, and no id that a run can have is like its own."""
    own = literal("-").concat(cast(runs.c.number, Text))
    gone = {"id": own, "visitor": HIDDEN, "key": None, "status": "cancelled"}
    return connection.execute(update(runs).where(which, shown).values(gone)).rowcount


def sweep(connection: Connection) -> bool:
    """Takes a piece of a hidden run away: little enough to be quick, and to be written on a disk that is nearly
    full. Returns whether there may be more."""
    oldest = select(runs.c.number, runs.c.last).where(runs.c.visitor == HIDDEN).order_by(runs.c.number).limit(1)
    run = connection.execute(oldest.with_for_update()).first()
    if run is None:
        return False
    if run.last > 0:
        start = max(run.last - PIECE, 0)
        connection.execute(delete(events).where(events.c.run == run.number, events.c.id > start))
        connection.execute(update(runs).where(runs.c.number == run.number).values(last=start))
        return True
    moment = connection.execute(select(moments.c.lane, moments.c.tokens).where(moments.c.run == run.number)).first()
    if moment is None:
        connection.execute(delete(runs).where(runs.c.number == run.number))
    else:
        same = (moments.c.run == run.number, moments.c.lane == moment.lane, moments.c.tokens == moment.tokens)
        connection.execute(delete(moments).where(*same))
    return True
