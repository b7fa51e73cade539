"""F6: what may happen to the database. Each fault is answered with 503 or 507, as a problem with a remedy; the rest of
the server works, and nobody is shown a traceback. What begins anew says so, and keeps the old."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from scripts.postgres import Postgres
from tests.faults.seen import Seen, noting, progress
from tests.server.live import HUMBLE, Live
from tests.server.training_client import API, TINY, Visitor, served, visitor

SMALL = "/api/v1/analysis?steps=8&hidden=4&batch=1"
FEW = {"workers": 1, "light_workers": 0, "training_workers": 1, "database_seconds": 0.3, "disk_reserved_bytes": 0}
Fault = Callable[[Path], Iterator[tuple[Live, Visitor]]]
FAULTS: dict[str, tuple[int, Callable[..., Any]]] = {}


READABLE = ("a full disk", "a limit on the size of files", "less space than is reserved", "a locked database",
            "a PostgreSQL that is locked")  # fmt: skip


def fault(name: str, status: int) -> Callable[[Fault], Fault]:
    """Has a server with a fault in its database be among the faults, with the status that it is answered with."""
    def listed(function: Fault) -> Fault:
        FAULTS[name] = status, contextmanager(function)
        return function
    return listed


def file_of(folder: Path) -> Path:
    return folder / "runs.sqlite3"


def used(folder: Path) -> None:
    """Makes a database in which a run has been, as a server leaves it."""
    with served(folder, **FEW) as server:
        owner = visitor(server)
        owner.until(owner.start(), "done")
        server.stop()


def execute(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file_of(folder), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def using(folder: Path, **more: Any) -> Iterator[tuple[Live, Visitor]]:
    """Yields a server, and somebody whose run is kept by it."""
    with served(folder, **FEW | more) as server:
        owner = visitor(server)
        owner.until(owner.start(), "done")
        yield server, owner


@fault("a full disk", 507)
def full(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    """A disk of 4 MiB, where one may be mounted; otherwise files may not grow."""
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True).returncode
    try:
        with using(folder) as (server, owner):
            if mounted:
                with (folder / "filling").open("wb") as file:
                    _fill(file.fileno())
            else:
                limit_files(server)
            yield server, owner
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(file: int) -> None:
    try:
        while os.write(file, bytes(4096)):
            pass
    except OSError:
        return


def limit_files(server: Live) -> None:
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, hard))


@fault("a limit on the size of files", 507)
def limited(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    with using(folder) as (server, owner):
        limit_files(server)
        yield server, owner


@fault("less space than is reserved", 507)
def reserved(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    used(folder)
    with served(folder, **FEW | {"disk_reserved_bytes": 2 * shutil.disk_usage(folder).free}) as server:
        yield server, visitor(server)


@fault("a locked database", 503)
def locked(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    with using(folder) as (server, owner), closing(sqlite3.connect(file_of(folder), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield server, owner
        other.execute("ROLLBACK")


@fault("a missing table", 503)
def missing(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    with using(folder) as (server, owner):
        execute(folder, "DROP TABLE runs")
        yield server, owner


@fault("a file that is damaged while it is open", 503)
def damaged(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    with using(folder) as (server, owner):
        execute(folder, "PRAGMA wal_checkpoint(TRUNCATE)")
        size = file_of(folder).stat().st_size
        with file_of(folder).open("r+b") as file:
            file.seek(100)
            file.write(b"\xee" * (size - 100))
        yield server, owner


@fault("tables of a newer version", 503)
def newer(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    used(folder)
    execute(folder, "UPDATE alembic_version SET version_num = '8888'")
    with served(folder, **FEW) as server:
        yield server, visitor(server)


@fault("a file that is read-only", 503)
def read_only(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    used(folder)
    file_of(folder).chmod(0o444)
    with served(folder, before=HUMBLE, **FEW) as server:
        yield server, visitor(server)


@fault("a folder that is not writable", 503)
def not_writable(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    folder.chmod(0o555)
    with served(folder, before=HUMBLE, **FEW) as server:
        yield server, visitor(server)
    folder.chmod(0o755)


@fault("a PostgreSQL that is not there", 503)
def refused(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    with served(folder, database="postgresql://nobody@127.0.0.1:1/none", **FEW) as server:
        yield server, visitor(server)


@fault("a PostgreSQL that is locked", 503)
def locked_postgresql(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    with Postgres.started() as postgres:
        url = postgres.new_database()
        with using(folder, database=url) as (server, owner), psycopg.connect(url) as other:
            other.execute("LOCK TABLE runs IN EXCLUSIVE MODE")
            yield server, owner


@fault("a PostgreSQL that is stopped, and started again", 503)
def stopped(folder: Path) -> Iterator[tuple[Live, Visitor]]:
    with Postgres.started() as postgres, using(folder, database=postgres.new_database()) as (server, owner):
        postgres.stop()
        yield server, owner
        postgres.start()
        owner.until(owner.start(), "done")


def _read(owner: Visitor) -> None:
    """What is kept can be read while nothing can be written; it has been kept by this server, or by one before it."""
    answer = owner.ask("GET", API)
    assert answer.status == 200, "the runs cannot be listed"
    for run in answer.body:
        for address in (f"{API}/{run['id']}", f"{API}/{run['id']}/points"):
            assert owner.ask("GET", address).status == 200, "a run cannot be read"


def meet(name: str, folder: Path, seen: Seen) -> int:
    """Has a server meet a fault; returns whether all was answered as promised."""
    folder.mkdir()
    status, met = FAULTS[name]
    broken = len(seen.broken)
    with noting(seen, name), met(folder) as (server, owner):
        answer = owner.ask("POST", API, TINY)
        assert answer.status == status, f"answered {answer.status}"
        assert answer.headers["content-type"] == "application/problem+json"
        [problem] = answer.body["problems"]
        assert problem["limit"], "no reason"
        assert problem["remedy"], "no remedy"
        assert int(answer.headers["retry-after"]) > 0
        assert owner.ask("GET", SMALL).status == 200, "no analysis"
        for page in ("/", "/train", "/healthz", "/api/v1/cells"):
            assert owner.ask("GET", page).status == 200, page
        if name in READABLE:
            _read(owner)
        code, _, errors = server.stop() if "again" not in name else (0, 0.0, "")
        assert code == 0, f"exit code {code}"
        assert "Traceback" not in errors, errors
    return len(seen.broken) == broken


def begins_anew(folder: Path, seen: Seen, spoil: Callable[[Path], None], what: str) -> None:
    """A file that cannot be read is kept, a new one is begun beside it, and the log says so."""
    used(folder)
    spoil(file_of(folder))
    spoilt = file_of(folder).read_bytes()
    with noting(seen, what), using(folder) as (server, _):
        errors = server.stop()[2]
        aside = [path for path in folder.glob("*.damaged-*") if path.read_bytes() == spoilt]
        assert len(aside) == 1, "the old file is not kept"
        assert aside[0].name in errors, errors
        assert "Traceback" not in errors, errors
        seen.say(f"{what}: said, kept as {aside[0].name.partition('-')[0]}-..., a new one begun")


def spoilt_log(folder: Path, seen: Seen) -> None:
    """What stood in SQLite's log beyond the damage is not there, and all before it is."""
    with using(folder) as (server, owner):
        runs = len(owner.ask("GET", API).body)
        server.process.kill()
        server.process.wait()
        cookie = owner.cookie
    with (folder / "runs.sqlite3-wal").open("r+b") as file:
        file.seek(-40, os.SEEK_END)
        file.write(b"\xee" * 40)
    with noting(seen, "a damaged log"), served(folder, **FEW) as server:
        again = Visitor(server.port, cookie)
        assert len(again.ask("GET", API).body) == runs
        again.until(again.start(), "done")
        errors = server.stop()[2]
        assert "Traceback" not in errors, errors
        seen.say("a damaged write-ahead log: what stood before the damage is there, and the run goes on")


def scene(count: int, folder: Path) -> Seen:
    seen, kept = Seen(), 0
    for number, name in enumerate(list(FAULTS)[:count]):
        progress(name)
        kept += meet(name, folder / f"{number}", seen)
    seen.say(f"{kept} of {count} faults answered 503 or 507 with a remedy, the rest works, no traceback", kept == count)
    begins_anew(folder / "letter", seen, lambda file: file.write_bytes(b"a letter\n" * 1000), "a file that is none")
    begins_anew(folder / "half", seen, lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
                "half a file")  # fmt: skip
    spoilt_log(folder / "log", seen)
    return seen


def test_faults_of_the_database_are_told_and_the_rest_works(tmp_path: Path) -> None:
    seen = Seen()
    for number, name in enumerate(("a missing table", "a file that is read-only")):
        meet(name, tmp_path / f"{number}", seen)
    begins_anew(tmp_path / "half", seen, lambda file: file.write_bytes(b"a letter\n" * 1000), "a file that is none")
    assert not seen.broken, seen.figures
