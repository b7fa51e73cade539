"""A PostgreSQL that goes away: it is told, waited for and used again, and nothing is lost or there twice."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from scripts.postgres import Postgres
from server.store import Bounds, NewEvent, NewRun, Store, StoreError, new_id
from server.store.database import WRITE

QUICK = Bounds(busy_seconds=0.3)


def a_run(store: Store) -> str:
    return store.create(NewRun(new_id(), "ann", "{}")).id


def point(number: int) -> NewEvent:
    return NewEvent("point", "0.0", str(number), "{}")


def test_a_postgresql_that_stops_is_told_and_one_that_is_back_is_used(postgres: Postgres) -> None:
    store = Store.open(postgres.new_database(), bounds=QUICK)
    run = a_run(store)
    for number, end in enumerate((postgres.stop, postgres.crash)):
        store.append(run, [point(10 * number)])
        end()
        for act in (lambda: store.append(run, [point(500)]), lambda: store.events(run), lambda: a_run(store)):
            with pytest.raises(StoreError) as told:
                act()
            assert (told.value.kind, told.value.status) == ("lost", 503)
        postgres.start()
        assert len(store.append(run, [point(10 * number + 1)])) == 1
    assert [made.key for made in store.events(run)] == ["0", "1", "10", "11"]
    store.close()


def test_a_restart_that_is_short_is_waited_for(postgres: Postgres) -> None:
    store = Store.open(postgres.new_database(), bounds=Bounds(busy_seconds=30))
    run = a_run(store)
    postgres.stop()
    starting = threading.Timer(0.5, postgres.start)
    starting.start()
    assert len(store.append(run, [point(1)])) == 1
    starting.join()
    store.close()


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_a_connection_that_breaks_at_the_commit_neither_loses_nor_doubles(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Events without a key would be there twice if an append that was committed were made again."""
    store = Store.open(postgres.new_database(), bounds=Bounds(busy_seconds=10))
    run = a_run(store)
    dialect, broken = store._database.engine.dialect, []
    commit = dialect.do_commit

    def breaking(connection: Any) -> None:
        if broken:
            commit(connection)
            return
        broken.append(when)
        if when == "after the commit":
            commit(connection)
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(dialect, "do_commit", breaking)
    kept = store.append(run, [NewEvent("state", "", None, "{}"), NewEvent("state", "", None, "[]")])
    assert broken == [when]
    assert [made.id for made in kept] == [1, 2]
    assert store.events(run) == kept
    store.close()


def test_a_connection_that_is_ended_in_the_middle_is_made_anew(postgres: Postgres) -> None:
    url = postgres.new_database()
    store = Store.open(url, bounds=Bounds(busy_seconds=10))
    run = a_run(store)
    ended = []

    def end(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITE) and not ended:
            ended.append(connection.scalar(text("SELECT pg_backend_pid()")))
            postgres.execute(f"SELECT pg_terminate_backend({ended[0]})")

    event.listen(store._database.engine, "begin", end)
    assert [made.id for made in store.append(run, [point(1)])] == [1]
    assert len(ended) == 1
    assert len(store.events(run)) == 1
    store.close()
