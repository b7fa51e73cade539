"""How a store is opened: its file, older and newer tables, damage."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from server.settings import Settings
from server.store import Bounds, Event, NewEvent, NewRun, Store, StoreError, migrating, new_id, open_store
from server.store.database import Database, parse_url
from server.store.tables import metadata
from tests.store.examining import check_file

STEPS = [script.revision for script in migrating.steps().walk_revisions()][::-1]
BAD_STEP = '''
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{before}", None, None

def upgrade():
    op.execute("CREATE TABLE half_done (x INTEGER)")
    op.execute("SELECT * FROM there_is_no_such_table")
'''


def database(url: str) -> Database:
    return Database(parse_url(url), 5.0, 1)


def execute(url: str, *statements: str) -> None:
    """Changes the database behind the store's back."""
    there = database(url)
    there.write(lambda connection: [connection.execute(text(statement)) for statement in statements])
    there.close()


def scalar(url: str, question: str) -> object:
    there = database(url)
    found: object = there.read(lambda connection: connection.scalar(text(question)))
    there.close()
    return found


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def filled(url: str) -> str:
    """Returns the id of a run with three events in a new store, which is closed again."""
    store = Store.open(url)
    run = store.create(NewRun(new_id(), "ann", "{}", "title")).id
    store.append(run, [NewEvent("point", "0.0", str(n), "{}") for n in range(3)], "done", [("0.0", b"c")])
    store.close()
    return run


def only_up_to(version: str, folder: Path) -> ScriptDirectory:
    """Returns the steps of an older Unrolled."""
    (folder / "versions").mkdir(parents=True)
    for script in migrating.steps().walk_revisions("base", version):
        shutil.copy(script.path, folder / "versions")
    return ScriptDirectory(str(folder))


def make_old(url: str, version: str, folder: Path) -> str:
    """Makes a database as an older Unrolled left it, with a run of two events in it; returns the run's id."""
    if url.startswith("sqlite"):
        file_of(url).parent.mkdir()
    known, there, run = only_up_to(version, folder), database(url), new_id()
    there.write(lambda connection: migrating.migrate(connection, known))
    assert there.read(migrating.version) == version
    there.close()
    execute(
        url,
        "INSERT INTO runs (id, visitor, title, lab, status, note, last, created, updated)"
        f" VALUES ('{run}', 'ann', 'old', '{{}}', 'running', '', 2, 5.0, 6.0)",
        "INSERT INTO events (run, id, kind, lane, key, data) SELECT number, 1, 'point', '0.0', '1', '{}' FROM runs",
        "INSERT INTO events (run, id, kind, lane, key, data) SELECT number, 2, 'state', '', NULL, '[]' FROM runs",
        "INSERT INTO checkpoints (run, lane, data) SELECT number, '0.0', x'6279746573' FROM runs"
        if url.startswith("sqlite") else
        "INSERT INTO checkpoints (run, lane, data) SELECT number, '0.0', decode('6279746573', 'hex') FROM runs",
    )
    return run


def test_the_steps_lead_to_the_tables_that_the_code_uses(url: str) -> None:
    filled(url)
    there = database(url)
    differences = there.read(lambda connection: compare_metadata(MigrationContext.configure(connection), metadata))
    there.close()
    assert differences == []
    assert scalar(url, "SELECT version_num FROM alembic_version") == STEPS[-1]


def test_there_are_older_versions_to_come_from() -> None:
    assert len(STEPS) >= 2
    assert sorted(STEPS) == STEPS


@pytest.mark.parametrize("version", STEPS[:-1])
def test_older_tables_are_brought_up_to_date_after_a_backup(url: str, version: str, tmp_path: Path) -> None:
    run = make_old(url, version, tmp_path / "older")
    store = Store.open(url)
    assert len(store.notices) == 1
    assert f"from version {version} to {STEPS[-1]}" in store.notices[0]
    assert store.events(run) == [Event(1, "point", "0.0", "1", "{}"), Event(2, "state", "", None, "[]")]
    assert store.checkpoint(run, "0.0") == b"bytes"
    assert store.interrupt() == [run]
    assert [event.id for event in store.append(run, [NewEvent("point", "0.0", "1", "{}"),
                                                     NewEvent("point", "0.0", "2", "{}")])] == [3]
    store.close()
    backup = store.notices[0].rpartition(" ")[2].rstrip(".")
    if url.startswith("sqlite"):
        copy = file_of(url).with_name(backup)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        url = f"sqlite:///{copy}"
        table = "events"
        check_file(url)
        assert scalar(url, "SELECT version_num FROM alembic_version") == version
    else:
        table = f"{backup}.events"
    assert scalar(url, f"SELECT count(*) FROM {table}") == 2


def test_a_step_that_fails_leaves_the_database_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = filled(url)
    folder = Path(only_up_to(STEPS[-1], tmp_path / "newer").dir)
    (folder / "versions/step_9999.py").write_text(BAD_STEP.format(before=STEPS[-1]))
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "STEPS", folder)
        with pytest.raises(StoreError) as told:
            Store.open(url)
    assert told.value.kind == "missing"
    assert scalar(url, "SELECT version_num FROM alembic_version") == STEPS[-1]
    there = database(url)
    assert "half_done" not in there.read(lambda connection: inspect(connection).get_table_names())
    there.close()
    store = Store.open(url)
    assert len(store.events(run)) == 3
    store.close()


def test_newer_tables_are_refused_and_left_alone(url: str) -> None:
    run = filled(url)
    execute(url, "UPDATE alembic_version SET version_num = '8888'")
    for _ in range(2):
        with pytest.raises(StoreError) as told:
            Store.open(url)
        assert (told.value.kind, told.value.status) == ("newer", 503)
        assert "version 8888" in told.value.problem.limit
        assert STEPS[-1] in told.value.problem.limit
    execute(url, f"UPDATE alembic_version SET version_num = '{STEPS[-1]}'")
    store = Store.open(url)
    assert len(store.events(run)) == 3
    store.close()


def test_a_missing_table_is_told_at_the_opening(url: str) -> None:
    filled(url)
    execute(url, "DROP TABLE moments")
    with pytest.raises(StoreError) as told:
        Store.open(url)
    assert (told.value.kind, told.value.status) == ("missing", 503)
    assert "moments" in told.value.problem.limit


def overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


DAMAGE = {
    "no database at all": lambda path: path.write_bytes(b"this is a letter and not a database\n" * 100),
    "its head": lambda path: overwrite(path, 0, b"\xff" * 100),
    "its schema": lambda path: overwrite(path, 100, b"\xff" * 3000),
    "a page": lambda path: overwrite(path, 3 * 4096, b"\xee" * 4096),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "kept"
    run = filled(f"sqlite:///{folder / 'runs.sqlite3'}")
    path = folder / "runs.sqlite3"
    DAMAGE[damage](path)
    spoilt = path.read_bytes()
    store = Store.open(None, folder)
    assert len(store.notices) == 1
    assert "damaged" in store.notices[0]
    aside = [file for file in folder.iterdir() if "damaged-" in file.name and not file.name.endswith(("-wal", "-shm"))]
    assert [file.name in store.notices[0] for file in aside] == [True]
    assert aside[0].read_bytes() == spoilt
    assert store.run(run) is None
    again = store.create(NewRun(new_id(), "ann", "{}")).id
    assert len(store.append(again, [NewEvent("point", "0.0", "1", "{}")])) == 1
    store.close()
    check_file(f"sqlite:///{path}")
    store = Store.open(None, folder)
    assert store.notices == ()
    assert len(store.events(again)) == 1
    store.close()


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite3").touch()
    store = Store.open(None, tmp_path)
    assert store.notices == ()
    assert store.runs("ann") == []
    store.close()


def test_what_is_kept_is_the_users_own(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    store = Store.open(None, folder)
    store.create(NewRun(new_id(), "ann", "{}"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"runs.sqlite3", "runs.sqlite3-wal", "runs.sqlite3-shm"} <= set(modes)
    store.close()
    assert {file.name for file in folder.iterdir()} == {"runs.sqlite3", "runs.sqlite3.spare"}


def test_the_settings_choose_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "here"))
    store = open_store(Settings())
    store.close()
    assert (tmp_path / "here/runs.sqlite3").exists()
    monkeypatch.setenv("UNROLLED_DATABASE", f"sqlite:///{tmp_path}/there/x.db")
    store = open_store(Settings())
    store.close()
    assert (tmp_path / "there/x.db").exists()
    monkeypatch.delenv("UNROLLED_DATA")
    monkeypatch.delenv("UNROLLED_DATABASE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    store = open_store(Settings())
    store.close()
    assert (tmp_path / "data/unrolled/runs.sqlite3").exists()


@pytest.mark.parametrize("address", ["", "runs", "mysql://u:secret@host/name", "sqlite://", "sqlite:///:memory:",
                                     "http://host/", "postgresql+asyncpg://u:secret@host/name", "://"])
def test_another_address_is_refused_without_telling_a_password(address: str, tmp_path: Path) -> None:
    if address == "":
        assert Store.open(address, tmp_path).notices == ()
        return
    with pytest.raises(StoreError) as told:
        Store.open(address)
    assert told.value.kind == "address"
    assert "secret" not in str(told.value.problem)
    assert "postgresql://" in told.value.problem.remedy


def test_a_postgresql_that_is_not_there_is_told_soon() -> None:
    with pytest.raises(StoreError) as told:
        Store.open("postgresql://nobody:secret@127.0.0.1:1/none", bounds=Bounds(busy_seconds=0.2))
    assert (told.value.kind, told.value.status) == ("lost", 503)
    assert "secret" not in str(told.value.problem)


def test_the_copy_in_a_backup_is_whole(tmp_path: Path) -> None:
    """Also what stood in the write-ahead log alone, of a server that was killed."""
    url = f"sqlite:///{tmp_path / 'kept' / 'runs.sqlite3'}"
    make_old(url, STEPS[0], tmp_path / "older")
    path = file_of(url)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("UPDATE runs SET title = 'in the log'")
        store = Store.open(url)
        store.close()
    copy = next(file for file in path.parent.iterdir() if "before-" in file.name)
    assert scalar(f"sqlite:///{copy}", "SELECT title FROM runs") == "in the log"


def test_a_run_that_is_deleted_gives_its_space_back(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path)
    run = store.create(NewRun(new_id(), "ann", "{}")).id
    store.append(run, moments=[("0.0", n, bytes(100_000)) for n in range(50)])
    store.close()
    full = (tmp_path / "runs.sqlite3").stat().st_size
    store = Store.open(None, tmp_path)
    assert store.delete(run)
    while store.sweep():
        pass
    store.close()
    assert full > 5_000_000
    assert (tmp_path / "runs.sqlite3").stat().st_size < 200_000
