"""How a store is opened: its folder, its file, what to do about damage, and the steps to the present tables."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import platformdirs
from sqlalchemy import URL, Connection, inspect, text

from server.store import migrating
from server.store.database import PAUSE, Database, parse_url
from server.store.errors import CANNOT_OPEN, MISSING, StoreError, of_sqlite
from server.store.presence import Presence, new_owner
from server.store.rows import Bounds
from server.store.tables import metadata

log = logging.getLogger("unrolled.store")
BOUNDS = Bounds()
FILE = "runs.sqlite3"
MISSING_REMEDY = MISSING[3]
NOWHERE = Path("/nonexistent/unrolled")  # Debian's home of users without one: nothing can be made there
MIGRATION_LOCK = 0x756E726F  # of PostgreSQL's advisory locks: one server at a time takes steps


def default_folder() -> Path:
    """Returns where a user's data belong on this system; a user whom it does not know has no such place."""
    folder = Path(platformdirs.user_data_dir("unrolled", appauthor=False))
    return folder if folder.is_absolute() else NOWHERE


def opened(url: str | None, folder: Path | None, bounds: Bounds) -> tuple[Database, Path | None, Presence, list[str]]:
    """Returns a database whose tables are as they must be, its folder, a sign of life, and what was done for it."""
    notices: list[str] = []
    owner = new_owner()
    address = parse_url(url) if url else URL.create("sqlite", database=str((folder or default_folder()) / FILE))
    path = None
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or "").absolute()
        address = address.set(database=str(path))
        _prepare_file(path)
        if not _sound(path, bounds.busy_seconds):
            notices.append(_keep_aside(path))
            _prepare_file(path)
    database = Database(address, bounds.busy_seconds, owner)
    try:
        notices += _bring_up_to_date(database, path)
        place = path.parent if path else None
        presence = Presence(owner, place)
    except OSError as error:
        database.close()
        raise StoreError(*CANNOT_OPEN) from error
    except BaseException:
        database.close()
        raise
    database.lay_spare()
    for notice in notices:
        log.warning(notice)
    return database, place, presence, notices


def _prepare_file(path: Path) -> None:
    """Makes the folder (0700) and the file (0600) where they are missing."""
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        kind, status, _, remedy = CANNOT_OPEN
        raise StoreError(kind, status, f"its file cannot be written ({error.strerror})", remedy) from error


def _sound(path: Path, busy_seconds: float) -> bool:
    """Returns whether SQLite finds the file in order; a file that cannot be looked at is not called damaged."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            return _looked_at(path, busy_seconds)
        except sqlite3.DatabaseError as error:
            code = error.sqlite_errorcode & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                return False
            # Two servers that begin the same new file: the change to a write-ahead log does not wait by itself.
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise of_sqlite(error) from error
            time.sleep(PAUSE)


def _looked_at(path: Path, busy_seconds: float) -> bool:
    """Looks before it writes anything, so that a damaged file stays as it is; makes the log of one that is sound."""
    new = path.stat().st_size == 0
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", busy_seconds, uri=True)) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return False
    with closing(sqlite3.connect(path, busy_seconds, isolation_level=None)) as connection:
        if new:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        return True


def _keep_aside(path: Path) -> str:
    """Returns the sentence about a damaged file, which has a new name now."""
    aside = path.with_name(f"{path.name}.damaged-{_stamp()}")
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return f"The database was damaged. It is kept as {aside.name}, and a new one was begun."


def _bring_up_to_date(database: Database, path: Path | None) -> list[str]:
    """Takes the steps that are pending, after a backup; returns the sentences about it."""
    known = migrating.steps()

    def taken(connection: Connection) -> list[str]:
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
        todo, present, said = migrating.pending(connection, known), migrating.version(connection), []
        if todo and present:
            backup = _copy_file(path, present) if path else _copy_tables(connection, present)
            said = [f"The tables were brought from version {present} to {todo[-1]}. Before that: {backup}."]
        migrating.migrate(connection, known)
        return said

    if database.read(lambda connection: migrating.pending(connection, known)):
        return database.write(taken, durable=True)
    if missing := database.read(lambda connection: set(metadata.tables) - set(inspect(connection).get_table_names())):
        raise StoreError("missing", 503, f"the table {min(missing)} is missing in it", MISSING_REMEDY)
    return []


def _copy_file(path: Path, version: str) -> str:
    """Returns the name of a copy of the database, made while nobody can write to it."""
    copy = path.with_name(f"{path.name}.before-{version}-{_stamp()}")
    os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.DatabaseError as error:
        copy.unlink()
        raise of_sqlite(error) from error
    return copy.name


def _copy_tables(connection: Connection, version: str) -> str:
    """Returns the name of a PostgreSQL schema with a copy of every table."""
    schema = f"backup_{version}_{_stamp().lower()}"
    connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    for name in sorted(set(metadata.tables) & set(inspect(connection).get_table_names())):
        connection.execute(text(f'CREATE TABLE "{schema}"."{name}" AS TABLE "{name}"'))
    return schema


def _stamp() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
