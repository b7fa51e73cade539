"""Which servers are alive, among those that share a database. The system ends a server's sign of life with it,
also after kill -9, and no clock is asked.

SQLite: a file beside the database that the server holds locked. PostgreSQL: an advisory lock that each of its
connections holds.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from sqlalchemy import Connection, text

OWNER_BITS = 62  # what a signed 64-bit number holds


def new_owner() -> int:
    """Returns the number of a server, by which its runs are known as its own."""
    return secrets.randbits(OWNER_BITS) + 1


class Presence:
    """This server's sign of life, and a look at those of the others. `folder` is None with PostgreSQL."""

    def __init__(self, owner: int, folder: Path | None) -> None:
        self.owner, self._folder = owner, folder
        self._held = None if folder is None else _hold(_sign(folder, owner))

    def alive(self, connection: Connection, owner: int) -> bool:
        """Returns whether a server is alive, this one or another."""
        if owner == self.owner:
            return True
        if self._folder is not None:
            return _alive(_sign(self._folder, owner))
        taken = text("SELECT NOT pg_try_advisory_xact_lock(:owner)")
        return bool(connection.scalar(taken, {"owner": owner}))

    def end(self) -> None:
        """Takes the sign of life away."""
        if self._held is not None and self._folder is not None:
            _sign(self._folder, self.owner).unlink(missing_ok=True)
            os.close(self._held)
            self._held = None


def _sign(folder: Path, owner: int) -> Path:
    return folder / f"server-{owner}.alive"


def _hold(path: Path) -> int:
    """Returns the open file, which had its name only when it was locked. Those of dead servers are removed."""
    for other in path.parent.glob("server-*.alive"):
        _alive(other)
    unnamed = path.with_suffix(".new")
    held = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    unnamed.rename(path)
    return held


def _alive(path: Path) -> bool:
    """Returns whether somebody holds the file; one that nobody holds is removed."""
    try:
        looked_at = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(looked_at, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(looked_at)
