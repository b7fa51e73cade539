"""A disk that is full: what must be written is written with the room of the spare file.

The disk is SQLite's own word for it, said at each commit as long as the spare file is there. By hand, on a real one:
mount a tmpfs of some megabytes, fill a store on it, delete the run, sweep.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from server.store import NewEvent, NewRun, Store, StoreError, new_id
from server.store.database import WRITE
from server.store.spare import SIZE, Spare

STATE = NewEvent("state", "", None, "{}")
POINT = NewEvent("point", "0.0", "1", "{}")
REFUSED: list[dict[str, Any]] = [{"events": [POINT]}, {"checkpoints": [("0.0", b"c")]},
                                 {"status": "done", "moments": [("0.0", 1, b"m")]}]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(None, tmp_path)
    yield store
    store.close()


@contextmanager
def full_disk(store: Store, spare: Path) -> Iterator[None]:
    """A disk with no room but that of the spare file."""
    engine, writing = store._database.engine, []
    commit = engine.dialect.do_commit

    def begin(connection: Connection) -> None:
        writing[:] = [connection.get_execution_options().get(WRITE)]

    def refusing(connection: Any) -> None:
        if spare.exists() and any(writing):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        commit(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", refusing)
        event.listen(engine, "begin", begin)
        yield
        event.remove(engine, "begin", begin)


def test_the_spare_file_is_laid_at_the_opening(store: Store, tmp_path: Path) -> None:
    spare = tmp_path / "runs.sqlite3.spare"
    assert spare.stat().st_size == SIZE
    assert spare.stat().st_mode & 0o777 == 0o600
    assert spare.stat().st_blocks * 512 >= SIZE  # it does take up the space


def test_a_last_word_and_a_deletion_are_written_on_a_full_disk(store: Store, tmp_path: Path) -> None:
    spare = tmp_path / "runs.sqlite3.spare"
    run, other = (store.create(NewRun(new_id(), "ann", "{}")).id for _ in range(2))
    store.append(other, [POINT])
    with full_disk(store, spare):
        for refused in REFUSED:
            with pytest.raises(StoreError) as told:
                store.append(run, **refused)
            assert (told.value.kind, told.value.status) == ("full", 507)
        assert len(store.append(run, [STATE], status="failed", note="the disk is full")) == 1
        assert spare.exists()  # laid again afterwards
        assert store.delete(other) is True
        while store.sweep():
            pass
    kept = store.run(run)
    assert kept is not None
    assert (kept.status, kept.note, kept.last) == ("failed", "the disk is full", 1)
    assert store.run(other) is None
    assert store.moment(run, "0.0", 1) is None


def test_a_disk_that_stays_full_is_told(store: Store, tmp_path: Path) -> None:
    run = store.create(NewRun(new_id(), "ann", "{}")).id
    with full_disk(store, tmp_path):  # a folder, which stays there
        with pytest.raises(StoreError) as told:
            store.append(run, status="failed")
        assert told.value.kind == "full"
        with pytest.raises(StoreError, match="the disk is full"):
            store.delete(run)
    assert store.delete(run) is True


def test_a_spare_file_that_cannot_be_laid_is_done_without(tmp_path: Path) -> None:
    spare = Spare(tmp_path / "nowhere" / "runs.sqlite3")
    spare.lay()
    assert spare.give() is False
    assert not (tmp_path / "nowhere").exists()
