"""What the store says when it cannot keep or find something; the routes answer with it as it is."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.errors import Problem
from server.problems import RefusedError

AGAIN = {"retry-after": "2"}


class StoreError(RefusedError):
    """Raised where the store cannot do what was asked. `kind` says why in a word; `lost`: the connection is gone."""

    def __init__(self, kind: str, status: int, limit: str, remedy: str, subject: str = "database", value: str = "-"):
        super().__init__(status, Problem(subject, value, limit, remedy), AGAIN if status in (503, 507) else None)
        self.kind = kind

    @property
    def lost(self) -> bool:
        return self.kind == "lost"


def unknown_run(run: str) -> StoreError:
    """Returns the error for a run that is not kept, or not any more."""
    return StoreError("unknown", 404, "no such run is kept", "It was deleted, or never was.", "run", run[:64])


FULL = ("full", 507, "the disk is full", "What is stored stays. Delete old runs, or free some space, and go on.")
LOCKED = ("locked", 503, "another program holds it locked", "Ask again in some seconds.")
READ_ONLY = ("read-only", 503, "it can be read and not written", "Let the server's user write the file and folder.")
CANNOT_OPEN = ("cannot-open", 503, "it cannot be opened", "Let the server's user write the file and its folder.")
FAILING = ("failing", 503, "the disk does not read or write it", "Look at the disk; what is stored may be intact.")
DAMAGED = ("damaged", 503, "it is damaged", "Start the server again: it keeps the file aside and begins a new one.")
MISSING = ("missing", 503, "a table or column is missing in it", "Restore the backup, or choose another database.")
LOST = ("lost", 503, "the connection to it is lost", "Ask again in some seconds; start PostgreSQL if it is down.")
BUSY = ("busy", 503, "too much is waiting for it", "Ask again in some seconds.")
CONFLICT = ("conflict", 503, "it was written to at the same moment", "Ask again in some seconds.")
STOPPING = ("stopping", 503, "the server is being stopped", "Ask again when it is back.")
OTHER = ("other", 503, "it does not do what was asked", "Ask again in some seconds; the server's log has the details.")

_SQLITE = {
    5: LOCKED,
    6: LOCKED,
    8: READ_ONLY,
    10: FAILING,
    11: DAMAGED,
    13: FULL,
    14: CANNOT_OPEN,
    19: CONFLICT,
    26: DAMAGED,
}
# SQLSTATE of PostgreSQL, the whole of it or its class
_POSTGRESQL = {
    "53100": FULL,
    "53300": BUSY,
    "55P03": LOCKED,
    "40001": LOCKED,
    "40P01": LOCKED,
    "23505": CONFLICT,
    "25006": READ_ONLY,
    "42501": READ_ONLY,
    "42P01": MISSING,
    "42703": MISSING,
    "57P01": LOST,
    "57P02": LOST,
    "57P03": LOST,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "58": FAILING,
    "08": LOST,
}


def told(error: SQLAlchemyError) -> StoreError:
    """Returns what an error of the database means to the person who asked."""
    if not isinstance(error, DBAPIError):
        return StoreError(*OTHER)
    if isinstance(error.orig, sqlite3.Error):
        return of_sqlite(error.orig)
    state = str(getattr(error.orig, "sqlstate", None) or "")
    unreachable = error.connection_invalidated or (not state and type(error.orig).__name__ == "OperationalError")
    return StoreError(*(_POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2]) or (LOST if unreachable else OTHER)))


def of_sqlite(error: sqlite3.Error) -> StoreError:
    """Returns what an error of SQLite itself means."""
    code = getattr(error, "sqlite_errorcode", 0) or 0
    if code == sqlite3.SQLITE_IOERR_WRITE:  # a quota, or a limit on the file's size, and not the disk as a whole
        return StoreError(*FULL)
    if str(error).startswith(("no such table", "no such column")):
        return StoreError(*MISSING)
    return StoreError(*_SQLITE.get(code & 0xFF, OTHER))
