"""What a database can do to a program: each fault is told with its remedy, and nothing that was kept is lost.

HARDENING's F6. The damaged file, the missing table and the newer tables at the start are in test_opening.py.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from server.problems import encode
from server.store import Bounds, Event, NewEvent, NewRun, Store, StoreError, new_id
from server.store.database import TURN
from tests.store.examining import check_file, every_event

ROOT = Path(__file__).resolve().parents[2]
QUICK = Bounds(busy_seconds=0.3)
LARGE = '"' + "x" * 20_000 + '"'


def a_run(store: Store) -> str:
    return store.create(NewRun(new_id(), "ann", "{}")).id


def point(number: int, data: str = "{}") -> NewEvent:
    return NewEvent("point", "0.0", str(number), data)


@pytest.fixture
def quick(url: str) -> Iterator[Store]:
    """A store that does not wait long."""
    store = Store.open(url, bounds=QUICK)
    yield store
    store.close()


def told_by(act: Callable[[], object]) -> StoreError:
    """Returns the error, which must be fit to be shown: a status, a limit, a remedy, and when to ask again."""
    with pytest.raises(StoreError) as told:
        act()
    error = told.value
    assert error.status in (503, 507)
    assert int(error.headers["retry-after"]) > 0
    assert error.problem.limit
    assert error.problem.remedy
    assert len(encode(error.status, [error.problem])) < 1000
    assert "Traceback" not in str(error)
    return error


@contextmanager
def pages_at_most(store: Store, pages: int) -> Iterator[None]:
    """The disk of a SQLite file, as if it had room for so many pages more."""
    now = store._database.read(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar())

    def bound(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {now + pages}")

    event.listen(store._database.engine, "begin", bound)
    yield
    event.remove(store._database.engine, "begin", bound)
    store._database.engine.dispose()


def fill(store: Store, run: str, start: int = 0) -> list[Event]:
    """Appends until the store refuses, and returns what it had taken."""
    kept: list[Event] = []
    for number in range(start, start + 5000):
        try:
            kept += store.append(run, [point(number, LARGE)], checkpoints=[("0.0", str(number).encode())])
        except StoreError as error:
            if (error.kind, error.status) != ("full", 507):
                raise
            return kept
    pytest.fail("the disk is never full")


def test_a_full_disk_takes_nothing_by_halves_and_goes_on_later(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path, QUICK)
    old, run = a_run(store), a_run(store)
    store.append(old, [point(n, LARGE) for n in range(50)], status="done")
    with pages_at_most(store, 100):
        kept = fill(store, run)
        assert len(kept) > 3
        assert every_event(store, run) == kept
        assert store.checkpoint(run, "0.0") == str(len(kept) - 1).encode()
        assert told_by(lambda: store.append(run, [point(10_000, LARGE * 10)])).kind == "full"
        assert store.delete(old) is True
        while store.sweep():
            pass
        more = fill(store, run, start=6000)
        assert len(more) >= 40
    assert [made.id for made in store.append(run, [point(20_000)])] == [len(kept) + len(more) + 1]
    store.close()
    check_file(f"sqlite:///{tmp_path}/runs.sqlite3")


LIMITED = """
import resource, sys
from server.store import Bounds, NewEvent, NewRun, Store, StoreError, new_id
store = Store.open(sys.argv[1], bounds=Bounds(busy_seconds=0.3))
run = store.create(NewRun(new_id(), "ann", "{}")).id
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
kept = 0
try:
    while True:
        kept += len(store.append(run, [NewEvent("point", "0.0", str(kept), '"' + "x" * 9_000 + '"')]))
except StoreError as error:
    print(run, kept, len(store.events(run)), error.kind, error.status)
"""


def test_a_limit_on_the_size_of_files_is_told_as_a_full_disk(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.sqlite3"
    done = subprocess.run([sys.executable, "-c", LIMITED, url], cwd=ROOT, capture_output=True, text=True, check=True)
    run, kept, read, kind, status = done.stdout.split()
    assert (kind, status) == ("full", "507")
    assert int(kept) == int(read) > 5
    store = Store.open(url)
    assert store.notices == ()
    assert [made.id for made in every_event(store, run)] == list(range(1, int(kept) + 1))
    store.close()
    check_file(url)


def test_a_disk_that_is_nearly_full_takes_no_new_run(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path)
    run = a_run(store)
    store.close()
    free = shutil.disk_usage(tmp_path).free
    store = Store.open(None, tmp_path, Bounds(reserved_bytes=2 * free))
    error = told_by(lambda: a_run(store))
    assert (error.kind, error.status) == ("full", 507)
    assert f"{2 * free:,}" in error.problem.limit
    assert len(store.append(run, [point(1)])) == 1
    assert len(store.runs("ann")) == 1
    store.close()


READ_ONLY = """
import os, sys
from server.store import Bounds, NewEvent, NewRun, Store, StoreError, new_id
store = Store.open(sys.argv[1], bounds=Bounds(busy_seconds=0.3))
run = store.create(NewRun(new_id(), "ann", "{}")).id
store.append(run, [NewEvent("point", "0.0", "1", "{}")])
held = store._database.engine.connect()
for name in os.listdir(sys.argv[2]):
    os.chmod(os.path.join(sys.argv[2], name), 0o444)
os.chmod(sys.argv[2], 0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
for act in (lambda: store.append(run, [NewEvent("point", "0.0", "2", "{}")]), lambda: store.delete(run),
            lambda: Store.open(sys.argv[1])):
    try:
        act()
    except StoreError as error:
        print(error.kind, error.status, len(store.events(run)))
"""


def test_a_file_that_is_read_only_is_told_and_read() -> None:
    """In a program of its own, because root must become nobody for it; that one may not enter pytest's folders."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, "-c", READ_ONLY, f"sqlite:///{folder}/runs.sqlite3", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        Path(folder).chmod(0o755)
    assert done.stdout.splitlines() == ["read-only 503 1", "read-only 503 1", "cannot-open 503 1"]


@contextmanager
def locked(url: str, postgres: bool) -> Iterator[None]:
    """Another program that holds the right to write."""
    if postgres:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE runs IN EXCLUSIVE MODE")
            yield
    else:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


def test_a_locked_database_is_told_in_time_and_read_meanwhile(quick: Store, url: str) -> None:
    run = a_run(quick)
    quick.append(run, [point(1)])
    with locked(url, url.startswith("postgresql")):
        start = time.monotonic()
        error = told_by(lambda: quick.append(run, [point(2)]))
        assert (error.kind, error.status) == ("locked", 503)
        assert 0.2 < time.monotonic() - start < 3
        assert len(quick.events(run)) == 1
        assert told_by(lambda: a_run(quick)).kind == "locked"
    assert [made.id for made in quick.append(run, [point(2)])] == [2]


def test_a_lock_is_waited_for_in_turns_until_the_store_is_told_to_hurry(url: str) -> None:
    store = Store.open(url, bounds=Bounds(busy_seconds=60))
    run = a_run(store)
    with ThreadPoolExecutor(1) as thread:
        with locked(url, url.startswith("postgresql")):
            waiting = thread.submit(store.append, run, [point(1)])
            time.sleep(3 * TURN)
            assert not waiting.done()
        assert [made.id for made in waiting.result(30)] == [1]
        with locked(url, url.startswith("postgresql")):
            start = time.monotonic()
            waiting = thread.submit(store.append, run, [point(2)])
            store.hurry()
            assert told_by(lambda: waiting.result(30)).kind == "locked"
            assert time.monotonic() - start < 20
    assert [made.id for made in store.append(run, [point(2)])] == [2]
    store.close()


def test_a_file_that_another_program_holds_for_itself_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE something (x)")
        other.execute("BEGIN EXCLUSIVE")
        assert told_by(lambda: Store.open(None, tmp_path, QUICK)).kind == "locked"
    assert path.exists()
    assert not list(tmp_path.glob("*damaged*"))


def test_a_table_that_goes_away_is_told(quick: Store) -> None:
    run = a_run(quick)
    quick._database.write(lambda connection: connection.execute(text("DROP TABLE events")))
    for act in (lambda: quick.append(run, [point(1)]), lambda: quick.events(run)):
        error = told_by(act)
        assert (error.kind, error.status) == ("missing", 503)
    assert quick.run(run) is not None


def test_a_file_that_is_damaged_while_it_is_open_is_told_and_replaced_at_the_next_start(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path, QUICK)
    run = a_run(store)
    store.append(run, [point(n, LARGE) for n in range(100)])
    store._database.engine.dispose()
    path = tmp_path / "runs.sqlite3"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xee" * (size - 4096))
    error = told_by(lambda: store.append(run, [point(1000)]))
    assert (error.kind, error.status) == ("damaged", 503)
    store.close()
    again = Store.open(None, tmp_path, QUICK)
    assert len(again.notices) == 1
    assert a_run(again)
    again.close()
