"""What is put into the store comes out of it, in order and once, on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.store import Append, Event, NewEvent, NewRun, Store, StoreError, new_id

STRANGE = ["a'; DROP TABLE runs; --", "naïve 漢字 \U0001f600", '{"x": null, "x_nonfinite": {"nan": [0]}}', "\\u0000"]


def a_run(store: Store, visitor: str = "ann", key: str | None = None, title: str = "") -> str:
    """Returns the id of a new run."""
    return store.create(NewRun(new_id(), visitor, '{"cell": "lstm"}', title, key)).id


def point(number: int, lane: str = "0.0") -> NewEvent:
    return NewEvent("point", lane, str(number), json.dumps({"lane": lane, "tokens": number}))


def test_a_run_is_kept_as_it_was_given(store: Store) -> None:
    before = time.time()
    made = store.create(NewRun(new_id(), "ann", '{"cell": "lstm"}', "a title", "key"))
    assert store.run(made.id) == made
    assert (made.visitor, made.lab_json, made.title, made.key) == ("ann", '{"cell": "lstm"}', "a title", "key")
    assert (made.status, made.note, made.last) == ("queued", "", 0)
    assert before <= made.created == made.updated <= time.time()


def test_a_run_that_is_not_kept_is_none_or_an_error(store: Store) -> None:
    assert store.run(new_id()) is None
    assert store.events(new_id()) == []
    assert store.checkpoint(new_id(), "0.0") is None
    assert store.moment(new_id(), "0.0", 0) is None
    assert store.delete(new_id()) is False
    with pytest.raises(StoreError) as told:
        store.append(new_id(), [point(1)])
    assert told.value.status == 404


def test_runs_are_a_visitors_own_the_newest_first(store: Store) -> None:
    mine = [a_run(store) for _ in range(5)]
    a_run(store, "bob")
    assert [row.id for row in store.runs("ann")] == mine[::-1]
    assert [row.id for row in store.runs("ann", 2)] == mine[:2:-1]
    assert store.runs("nobody") == []


def test_the_same_key_makes_the_same_run(store: Store) -> None:
    first = a_run(store, key="once")
    assert a_run(store, key="once") == first
    assert a_run(store, "bob", "once") != first
    assert a_run(store, key=None) != a_run(store, key=None)
    assert len(store.runs("ann")) == 3


def test_the_same_key_from_many_sides_at_once_makes_one_run(url: str) -> None:
    """As when a client that heard nothing asks again, and is answered by another server."""
    stores = [Store.open(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for key in "abcde":
            made = list(pool.map(lambda store, key=key: a_run(store, key=key), stores))
            assert len(set(made)) == 1
    assert len(stores[0].runs("ann")) == 5
    for store in stores:
        store.close()


def test_appends_from_many_sides_at_once_leave_no_gap(url: str) -> None:
    """Each side also sends what another one sends: it is kept once."""
    stores = [Store.open(url) for _ in range(4)]
    runs = [a_run(stores[0]) for _ in range(2)]

    def side(store: Store) -> list[int]:
        appends = [Append(run, [point(n), point(n + 1, "0.1")]) for n in range(30) for run in runs[:: 1 - 2 * (n % 2)]]
        outcomes = [outcome for n in range(0, 60, 2) for outcome in store.append_all(appends[n : n + 2])]
        return [event.id for outcome in outcomes if isinstance(outcome, list) for event in outcome]

    with ThreadPoolExecutor(4) as pool:
        ids = sorted(id for told in pool.map(side, stores) for id in told)
    assert ids == sorted([*range(1, 61)] * 2)
    for run in runs:
        assert [event.id for event in stores[0].events(run)] == list(range(1, 61))
    for store in stores:
        store.close()


def test_a_run_without_a_visitor_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="visitor"):
        store.create(NewRun(new_id(), "", "{}"))


@pytest.mark.parametrize("id", ["", "short", "a" * 21, "a" * 65, "../../etc/passwd/etc/pass", "ä" * 22])
def test_an_id_that_could_be_guessed_is_refused(store: Store, id: str) -> None:
    with pytest.raises(ValueError, match="id of a run"):
        store.create(NewRun(id, "ann", "{}"))


def test_ids_are_not_repeated() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


def test_events_are_numbered_from_one_without_a_gap(store: Store) -> None:
    run, other = a_run(store), a_run(store)
    first = store.append(run, [point(1), point(2)])
    store.append(other, [point(1)])
    second = store.append(run, [point(3)])
    assert [event.id for event in first + second] == [1, 2, 3]
    assert store.events(run) == first + second
    assert first[0] == Event(1, "point", "0.0", "1", '{"lane": "0.0", "tokens": 1}')
    row = store.run(run)
    assert row is not None
    assert row.last == 3


def test_events_are_read_in_pages(store: Store) -> None:
    run = a_run(store)
    store.append(run, [point(n) for n in range(1, 2501)])
    read, after = [], 0
    while page := store.events(run, after, 1000):
        read += page
        after = page[-1].id
    assert [event.id for event in read] == list(range(1, 2501))
    assert [json.loads(event.data_json)["tokens"] for event in read] == list(range(1, 2501))


def test_an_event_that_is_there_is_left_out_and_leaves_no_gap(store: Store) -> None:
    run = a_run(store)
    store.append(run, [point(1), point(2), point(2)])
    assert [event.id for event in store.append(run, [point(2), point(3), point(1), point(4)])] == [3, 4]
    assert store.append(run, [point(n) for n in range(1, 5)]) == []
    assert [event.key for event in store.events(run)] == ["1", "2", "3", "4"]
    # The same key of another lane or kind is another event.
    assert len(store.append(run, [point(1, "0.1"), NewEvent("moment", "0.0", "1", "{}")])) == 2


def test_many_lanes_and_kinds_at_once_are_told_apart(store: Store) -> None:
    """More keys than one statement asks for, each in a lane and a kind of its own or in one of all."""
    run, other = a_run(store), a_run(store)
    many = [NewEvent(f"kind {n % 7}", f"{n % 11}.{n % 13}", str(n), "{}") for n in range(700)]
    one = [point(n) for n in range(700)]
    assert len(store.append(run, many + one)) == 1400
    assert store.append(run, one[::-1] + many[::-1]) == []
    assert len(store.append(other, many[:10])) == 10
    again = [NewEvent("kind 0", "again", str(n), "{}") for n in range(700)]
    assert [event.id for event in store.append(run, many + again + one)] == list(range(1401, 2101))


def test_an_append_leaves_nothing_for_the_garbage_collector(store: Store) -> None:
    """A question that is made anew each time leaves circles: so many a second that a busy server grew by them."""
    run = a_run(store)
    store.append(run, [point(0, lane) for lane in ("0.0", "1.0")])
    gc.collect()
    gc.disable()
    try:
        for number in range(1, 11):
            store.append(run, [point(number, lane) for lane in ("0.0", "1.0")], checkpoints=[("0.0", b"x")])
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_event_without_a_key_is_always_kept(store: Store) -> None:
    run = a_run(store)
    again = NewEvent("state", "", None, '{"status": "running"}')
    assert len(store.append(run, [again, again])) == 2
    assert len(store.append(run, [again])) == 1


@pytest.mark.parametrize("text", STRANGE)
def test_text_comes_back_as_it_was(store: Store, text: str) -> None:
    run = store.create(NewRun(new_id(), text, text, text, text)).id
    kept = store.append(run, [NewEvent("point", text, text, text)], note=text)
    assert store.events(run) == kept == [Event(1, "point", text, text, text)]
    row = store.run(run)
    assert row is not None
    assert (row.visitor, row.lab_json, row.title, row.key, row.note) == (text,) * 5
    assert store.append(run, [NewEvent("point", text, text, text)]) == []


@pytest.mark.parametrize("bad", ["\0", "\ud800", ""])
def test_text_that_a_database_would_change_is_refused(store: Store, bad: str) -> None:
    run = a_run(store)
    with pytest.raises(ValueError, match="data of an event"):
        store.append(run, [point(1), NewEvent("point", "0.0", None, bad)])
    assert store.events(run) == []


def test_status_and_note_come_with_the_events_or_alone(store: Store) -> None:
    run = a_run(store)
    store.append(run, [point(1)], status="running")
    store.append(run, [point(2)])
    row = store.run(run)
    assert row is not None
    assert (row.status, row.note) == ("running", "")
    store.append(run, status="failed", note="its process ended")
    row = store.run(run)
    assert row is not None
    assert (row.status, row.note, row.last) == ("failed", "its process ended", 2)
    with pytest.raises(ValueError, match="status = finished"):
        store.append(run, status="finished")


def test_only_the_last_checkpoint_of_a_lane_is_kept(store: Store) -> None:
    run = a_run(store)
    store.append(run, checkpoints=[("0.0", b"\0first"), ("0.1", b"other")])
    store.append(run, [point(1)], checkpoints=[("0.0", bytes(range(256)))])
    assert store.checkpoint(run, "0.0") == bytes(range(256))
    assert store.checkpoint(run, "0.1") == b"other"
    assert store.checkpoint(run, "0.2") is None


def test_moments_are_kept_by_lane_and_tokens(store: Store) -> None:
    run = a_run(store)
    store.append(run, moments=[("0.0", 0, b"zero"), ("0.0", 2**40, b"many")])
    store.append(run, moments=[("0.0", 0, b"zero again"), ("1.0", 0, b"one")])
    assert store.moment(run, "0.0", 0) == b"zero again"
    assert store.moment(run, "0.0", 2**40) == b"many"
    assert store.moment(run, "1.0", 0) == b"one"
    assert store.moment(run, "0.0", 5) is None


def test_what_a_server_left_behind_is_interrupted(url: str) -> None:
    store = Store.open(url)
    by_status = {status: a_run(store) for status in ("queued", "running", "paused", "done", "failed", "cancelled")}
    for status, run in by_status.items():
        store.append(run, [point(1)], status=status)
    assert store.interrupt() == []
    store.close()
    store = Store.open(url)
    assert store.interrupt() == [by_status["queued"], by_status["running"]]
    assert store.interrupt() == []
    now = {status: row.status for status, run in by_status.items() if (row := store.run(run))}
    assert now == {"queued": "interrupted", "running": "interrupted", "paused": "paused", "done": "done",
                   "failed": "failed", "cancelled": "cancelled"}
    store.close()


def test_what_a_server_works_at_is_not_interrupted(url: str) -> None:
    first, second = Store.open(url), Store.open(url)
    theirs, taken_over = a_run(first), a_run(first)
    first.append(theirs, status="running")
    second.append(taken_over, status="running")
    assert first.interrupt() == second.interrupt() == []
    first.close()
    assert second.interrupt() == [theirs]
    second.close()
    third = Store.open(url)
    assert third.interrupt() == [taken_over]
    third.close()


def test_a_store_that_is_opened_again_has_everything(url: str) -> None:
    store = Store.open(url)
    run = a_run(store)
    kept = store.append(run, [point(1), point(2)], status="done", checkpoints=[("0.0", b"c")])
    store.close()
    again = Store.open(url)
    try:
        assert again.notices == ()
        assert again.events(run) == kept
        assert again.checkpoint(run, "0.0") == b"c"
        assert [event.id for event in again.append(run, [point(3)])] == [3]
    finally:
        again.close()


def test_a_clock_that_is_set_back_changes_neither_ids_nor_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = a_run(store)
    store.append(first, [point(1)])
    before = store.run(first)
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    second = a_run(store)
    assert [event.id for event in store.append(first, [point(2)])] == [2]
    assert [row.id for row in store.runs("ann")] == [second, first]
    after = store.run(first)
    assert before is not None
    assert after is not None
    assert after.updated == before.updated
    assert store.run(second).created == 1000.0  # type: ignore[union-attr]
