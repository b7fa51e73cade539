"""What goes: runs that are deleted, surplus or old, and what they were made of, piece by piece."""

from __future__ import annotations

import time

import pytest

from server.store import Bounds, NewEvent, NewRun, Store, StoreError, new_id


def a_run(store: Store, visitor: str = "ann", key: str | None = None) -> str:
    """Returns the id of a new run."""
    return store.create(NewRun(new_id(), visitor, "{}", "", key)).id


def point(number: int) -> NewEvent:
    return NewEvent("point", "0.0", str(number), "{}")


def test_deleting_a_run_takes_everything_with_it(store: Store) -> None:
    run, other = a_run(store), a_run(store)
    for one in (run, other):
        store.append(one, [point(1)], checkpoints=[("0.0", b"c")], moments=[("0.0", 0, b"m")])
    assert store.delete(run) is True
    assert store.run(run) is None
    assert store.events(run) == []
    assert store.checkpoint(run, "0.0") is None
    assert store.moment(run, "0.0", 0) is None
    assert store.delete(run) is False
    assert sum(1 for _ in iter(store.sweep, False)) >= 3
    assert store.sweep() is False
    assert len(store.events(other)) == 1
    assert store.checkpoint(other, "0.0") == b"c"
    assert store.moment(other, "0.0", 0) == b"m"


def test_a_deleted_run_is_out_of_reach_while_it_is_taken_away(store: Store) -> None:
    run, key = a_run(store, key="once"), "once"
    store.append(run, [point(n) for n in range(1000)], status="running")
    store.delete(run)
    for name in (run, "-1", "1", ""):
        assert store.run(name) is None
        assert store.events(name) == []
        with pytest.raises(StoreError, match="no such run"):
            store.append(name, [point(1)])
    assert store.runs("ann") == store.runs("") == []
    assert a_run(store, key=key) != run
    while store.sweep():
        assert store.events(run) == []
    assert len(store.runs("ann")) == 1


def test_the_oldest_finished_runs_make_room(url: str) -> None:
    store = Store.open(url, bounds=Bounds(kept_runs=3))
    try:
        running, *done = [a_run(store) for _ in range(3)]
        other = a_run(store, "bob")
        for run in done:
            store.append(run, status="done")
        newest = a_run(store)
        assert [row.id for row in store.runs("ann")] == [newest, done[1], running]
        assert store.run(other) is not None
    finally:
        store.close()


def test_finished_runs_expire_and_others_do_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(url, bounds=Bounds(kept_days=2))
    try:
        old, running = a_run(store), a_run(store)
        store.append(old, status="done")
        start = time.time()
        assert store.expire() == 0
        monkeypatch.setattr(time, "time", lambda: start + 3 * 86_400)
        assert store.expire() == 1
        assert [row.id for row in store.runs("ann")] == [running]
        store.append(running, status="done")
        monkeypatch.setattr(time, "time", lambda: start + 6 * 86_400)
        new = a_run(store)
        assert [row.id for row in store.runs("ann")] == [new]
    finally:
        store.close()
