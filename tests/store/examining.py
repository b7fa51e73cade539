"""Whether what a killed program left behind is whole."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing

from server.store import Event, Store

PAGE = 5000


def every_event(store: Store, run: str) -> list[Event]:
    """Returns all events of a run."""
    found: list[Event] = []
    while page := store.events(run, len(found), PAGE):
        found += page
    return found


def examine(store: Store, run: str, acknowledged: dict[str, int]) -> int:
    """Asserts that ids have no gap, no event is torn or there twice, every batch is whole, every batch of a name
    up to the one acknowledged is there, and checkpoints are of the same moment. Returns the number of events."""
    events = every_event(store, run)
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert len({(event.lane, event.kind, event.key) for event in events}) == len(events)
    found: dict[str, Counter[int]] = {}
    sizes: dict[tuple[str, int], int] = {}
    for event in events:
        data = json.loads(event.data_json)
        assert hashlib.sha256(data["text"].encode()).hexdigest() == data["digest"]
        assert (event.lane, event.key) == (data["name"], f"{data['batch']}.{data['index']}")
        found.setdefault(data["name"], Counter())[data["batch"]] += 1
        sizes[data["name"], data["batch"]] = data["size"]
    for name, batches in found.items():
        assert sorted(batches) == list(range(len(batches)))
        assert all(sizes[name, batch] == count for batch, count in batches.items())
        assert store.checkpoint(run, name) == str(len(batches)).encode()
    for name, last in acknowledged.items():
        assert len(found[name]) > last
    row = store.run(run)
    assert row is not None
    assert row.last == len(events)
    return len(events)


def check_file(url: str) -> None:
    """Asserts that SQLite finds its file in order, down to the last index."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
