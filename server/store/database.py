"""One database, in short transactions; what goes wrong in them is said as a StoreError."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from server.store.errors import LOST, StoreError, told
from server.store.spare import Spare

T = TypeVar("T")
log = logging.getLogger("unrolled.store")
DRIVERS = {"sqlite": "sqlite", "sqlite+pysqlite": "sqlite", "postgresql": "postgresql+psycopg",
           "postgres": "postgresql+psycopg", "postgresql+psycopg": "postgresql+psycopg"}  # fmt: skip
WRITE, DURABLE = "unrolled_write", "unrolled_durable"
JOURNAL_BYTES = 64 * 2**20
RECLAIMED = 500
"""pages of a SQLite file, of 4 KiB, that are given back to the disk at once"""
PAUSE = 0.05
"""seconds between two attempts to reach a database that is being started, or held locked"""
TURN = 0.25
"""seconds that one attempt waits for a lock, so that a server that stops need not wait for much longer"""


def parse_url(url: str) -> URL:
    """Returns the address of a database.

    Raises:
        StoreError: it is none, or of a kind that Unrolled does not know.
    """
    remedy = "Write sqlite:////a/file, or postgresql://user:password@host/name."
    try:
        made = make_url(url)
    except ArgumentError:
        raise StoreError("address", 503, "is no address of a database", remedy, "UNROLLED_DATABASE") from None
    if made.drivername not in DRIVERS or (
        made.drivername.startswith("sqlite") and made.database in (None, "", ":memory:")
    ):
        kind = made.drivername[:40]
        raise StoreError("address", 503, "is neither SQLite nor PostgreSQL", remedy, "UNROLLED_DATABASE", kind)
    return made.set(drivername=DRIVERS[made.drivername])


class Database:
    """Connections to one database. In SQLite `write` has the right to write from its start."""

    def __init__(self, url: URL, busy_seconds: float, owner: int) -> None:
        self._busy, self._hurried = busy_seconds, False
        self.sqlite = url.get_backend_name() == "sqlite"
        self._spare = Spare(Path(url.database or "")) if self.sqlite else None
        self.engine = _sqlite(url, busy_seconds) if self.sqlite else _postgresql(url, busy_seconds, owner)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Returns what `work` reads in one transaction."""
        return self._patiently(lambda: self._attempt(work, {}))

    def write(self, work: Callable[[Connection], T], durable: bool = False) -> T:
        """Returns what `work` returns, once it is committed; `durable`: also the power may fail then.

        `work` may be called again, after a transaction that left nothing behind.
        """
        options = {WRITE: True, DURABLE: durable}
        return self._patiently(lambda: self._attempt(work, options))

    def write_even_if_full(self, work: Callable[[Connection], T]) -> T:
        """Returns what a durable `write` would. If SQLite's disk is full, it first makes room in its log, and then
        gives up the spare file."""
        for relieve in (self._empty_log, self._give_spare):
            try:
                return self.write(work, durable=True)
            except StoreError as error:
                if error.kind != "full" or not self.sqlite:
                    raise
                relieve()
        try:
            return self.write(work, durable=True)
        finally:
            self.lay_spare()

    def lay_spare(self) -> None:
        """Takes up the space that `write_even_if_full` may need, where there is none taken up."""
        if self._spare is not None:
            self._spare.lay()

    def reclaim(self) -> bool:
        """Gives some space of deleted rows back to the disk; returns whether there is more. PostgreSQL does so by
        itself."""
        if not self.sqlite:
            return False
        before = self._free_pages()
        if before == 0:
            return False
        self._run(f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({RECLAIMED}); COMMIT;")
        self._empty_log()
        self.lay_spare()
        return 0 < self._free_pages() < before

    def _free_pages(self) -> int:
        return int(self.read(lambda connection: connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()))

    def _give_spare(self) -> None:
        if self._spare is not None and self._spare.give():
            self._empty_log()

    def _empty_log(self) -> None:
        """Moves what stands in SQLite's log to its place in the file, so that the log takes no space."""
        self._run("PRAGMA wal_checkpoint(TRUNCATE);")

    def _run(self, script: str) -> None:
        """Runs what makes room. Each row of a result is a piece of that work, which only a script asks for."""
        with closing(self.engine.raw_connection()) as connection:
            try:
                connection.cursor().executescript(script)
            except sqlite3.Error as error:
                log.info("No room could be made: %s", error)

    def hurry(self) -> None:
        """Has nobody wait any longer for a lock or a server: from now on everything is attempted once."""
        self._hurried = True

    def close(self) -> None:
        self.engine.dispose()

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """A server that is being restarted, and what another program holds locked, is met again for so many seconds."""
        deadline = time.monotonic() + self._busy
        while True:
            try:
                return attempt()
            except SQLAlchemyError as error:
                problem = told(error)
                again = problem.kind in ("lost", "locked") and not self._hurried
                if not again or time.monotonic() > deadline:
                    raise problem from error
                time.sleep(PAUSE)

    def _attempt(self, work: Callable[[Connection], T], options: dict[str, Any]) -> T:
        with self.engine.connect() as connection:
            transaction = connection.execution_options(**options).begin()
            mark = None
            try:
                result = work(connection)
                mark = self._mark(connection) if options else None
                transaction.commit()
            except BaseException as error:
                if mark is not None and isinstance(error, DBAPIError) and told(error).lost and self._committed(mark):
                    return result
                transaction.rollback()
                raise
            return result

    def _mark(self, connection: Connection) -> int | None:
        """Returns the number of this transaction, by which PostgreSQL knows it even after a crash."""
        return None if self.sqlite else connection.scalar(text("SELECT txid_current_if_assigned()"))

    def _committed(self, mark: int) -> bool:
        """Returns whether a transaction whose commit was not answered was committed after all; waits while the
        server is still at it, and raises StoreError if it does not come to an end."""
        asked, deadline = text("SELECT txid_status(:mark)"), time.monotonic() + self._busy
        while True:
            became = self.read(lambda connection: connection.scalar(asked, {"mark": mark}))
            if became in ("committed", "aborted"):
                return bool(became == "committed")
            if time.monotonic() > deadline:
                raise StoreError(*LOST)
            time.sleep(PAUSE)


def _sqlite(url: URL, busy_seconds: float) -> Engine:
    """SQLite with a write-ahead log. Whoever will write says so at the start: a transaction that wants to write
    after it has read loses against another one that has written in between."""
    engine = create_engine(url, connect_args={"timeout": min(busy_seconds, TURN), "isolation_level": None})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(WRITE):
            level = "FULL" if options.get(DURABLE) else "NORMAL"
            connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITE) else "BEGIN")

    return engine


def _postgresql(url: URL, busy_seconds: float, owner: int) -> Engine:
    """PostgreSQL; a connection that broke while nobody used it is made anew before it is used again. Each one
    holds the server's sign of life."""
    settings = f"-c lock_timeout={int(min(busy_seconds, TURN) * 1000)} -c client_encoding=UTF8"
    arguments = {"connect_timeout": max(2, int(busy_seconds)), "options": settings, "application_name": "unrolled"}
    try:
        engine = create_engine(url, connect_args=arguments, pool_pre_ping=True, pool_size=4)
    except (ModuleNotFoundError, NoSuchModuleError):
        remedy = "Install it: pip install 'unrolled[postgresql]'."
        raise StoreError("driver", 503, "PostgreSQL's driver is not installed", remedy) from None

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.execute("SELECT pg_advisory_lock_shared(%s)", (owner,))
        connection.commit()

    return engine
