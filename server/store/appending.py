"""What is added to runs: one transaction for all that wait, ids without gaps, nothing kept twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.store.errors import StoreError, unknown_run
from server.store.rows import CLAIMED, STATUSES, Append, Event, NewEvent
from server.store.tables import checkpoints, events, moments, runs, shown

Row = dict[str, Any]
Key = tuple[int, str, str, str]
Outcome = list[Event] | StoreError
MOST_KEYS = 500
"""keys that are looked for in one statement: SQLite takes 32,766 values"""

# Made once: a question with a list in it leaves circles behind, which only the garbage collector finds.
HOLDING = select(
    runs.c.id, runs.c.number, runs.c.last, runs.c.status, runs.c.note, runs.c.updated, runs.c.owner
).where(runs.c.id.in_(bindparam("ids", expanding=True)), shown).order_by(runs.c.number).with_for_update()  # fmt: skip
WITH_KEYS = select(events.c.key).where(
    events.c.run == bindparam("of_run"), events.c.lane == bindparam("of_lane"), events.c.kind == bindparam("of_kind"),
    events.c.key.in_(bindparam("keys", expanding=True)))  # fmt: skip


def check(append: Append) -> None:
    """Raises ValueError for what no database could keep as it is: our own mistake, not the visitor's."""
    if append.status is not None and append.status not in STATUSES:
        raise ValueError(f"status = {append.status}: must be one of {', '.join(STATUSES)}")
    for event in append.events:
        for name, text in (("kind", event.kind), ("lane", event.lane), ("key", event.key), ("data", event.data_json)):
            if text is not None and ("\0" in text or (not text.isascii() and _torn(text))):
                raise ValueError(f"{name} of an event: must be Unicode text without NUL")
        if not event.data_json:
            raise ValueError("data of an event: must be JSON text; it is empty")


def _torn(text: str) -> bool:
    """Returns whether half a surrogate pair stands alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def append_all(connection: Connection, appends: Sequence[Append], now: float, owner: int) -> list[Outcome]:
    """Returns for each append the events that are new, or the error if its run is not kept."""
    held = _hold(connection, {append.run for append in appends})
    seen = _known(connection, [(held[append.run]["number"], event) for append in appends
                               if append.run in held for event in append.events])  # fmt: skip
    outcomes: list[Outcome] = []
    rows: list[Row] = []
    for append in appends:
        if append.run in held:
            outcomes.append(_number(held[append.run], append, seen, rows))
        else:
            outcomes.append(unknown_run(append.run))
    if rows:
        connection.execute(insert(events), rows)
    _replace(connection, [append for append in appends if append.run in held], held)
    _progress(connection, held, now, owner)
    return outcomes


def _hold(connection: Connection, ids: set[str]) -> dict[str, Row]:
    """Returns the runs, held against every other writer until the end; in one order, so that no two block."""
    return {row.id: {**row._mapping, "claimed": False} for row in connection.execute(HOLDING, {"ids": sorted(ids)})}


def _known(connection: Connection, wanted: Sequence[tuple[int, NewEvent]]) -> set[Key]:
    """Returns the keys, among those wanted, under which an event is kept. One question for each lane and kind: so the
    index is used, however many events a run has."""
    keys = sorted({(number, event.lane, event.kind, event.key) for number, event in wanted if event.key is not None})
    found: set[Key] = set()
    for (run, lane, kind), group in groupby(keys, key=itemgetter(0, 1, 2)):
        named = [key[3] for key in group]
        for start in range(0, len(named), MOST_KEYS):
            asked = {"of_run": run, "of_lane": lane, "of_kind": kind, "keys": named[start : start + MOST_KEYS]}
            found.update((run, lane, kind, key) for key in connection.scalars(WITH_KEYS, asked))
    return found


def _number(run: Row, append: Append, seen: set[Key], rows: list[Row]) -> list[Event]:
    """Gives each new event of an append the next id of its run, and its row."""
    kept = []
    for event in append.events:
        if event.key is not None:
            key = (run["number"], event.lane, event.kind, event.key)
            if key in seen:
                continue
            seen.add(key)
        run["last"] += 1
        kept.append(Event(run["last"], event.kind, event.lane, event.key, event.data_json))
        rows.append({"run": run["number"], "id": run["last"], "kind": event.kind, "lane": event.lane,
                     "key": event.key, "data": event.data_json})  # fmt: skip
    run["claimed"] |= append.status in CLAIMED
    run["status"] = append.status or run["status"]
    run["note"] = run["note"] if append.note is None else append.note
    return kept


def _replace(connection: Connection, appends: Sequence[Append], held: dict[str, Row]) -> None:
    """Keeps each lane's latest checkpoint, and its moments; the same moment again is the same one."""
    latest = {(held[append.run]["number"], lane): data for append in appends for lane, data in append.checkpoints}
    opened = {(held[append.run]["number"], lane, tokens): data
              for append in appends for lane, tokens, data in append.moments}  # fmt: skip
    for run, lane in latest:
        connection.execute(delete(checkpoints).where(checkpoints.c.run == run, checkpoints.c.lane == lane))
    if latest:
        rows = [{"run": run, "lane": lane, "data": data} for (run, lane), data in latest.items()]
        connection.execute(insert(checkpoints), rows)
    for run, lane, tokens in opened:
        at = (moments.c.run == run, moments.c.lane == lane, moments.c.tokens == tokens)
        connection.execute(delete(moments).where(*at))
    if opened:
        every = [{"run": run, "lane": lane, "tokens": tokens, "data": data}
                 for (run, lane, tokens), data in opened.items()]  # fmt: skip
        connection.execute(insert(moments), every)


def _progress(connection: Connection, held: dict[str, Row], now: float, owner: int) -> None:
    """Writes how far each run has come. A clock that was set back does not set a run back."""
    if held:
        change = update(runs).where(runs.c.number == bindparam("at")).values(
            last=bindparam("last_id"), status=bindparam("new_status"), note=bindparam("new_note"),
            updated=bindparam("at_time"), owner=bindparam("new_owner"))  # fmt: skip
        connection.execute(change, list(_progressed(held, now, owner)))


def _progressed(held: dict[str, Row], now: float, owner: int) -> Iterator[Row]:
    for run in held.values():
        yield {"at": run["number"], "last_id": run["last"], "new_status": run["status"], "new_note": run["note"],
               "at_time": max(now, run["updated"]), "new_owner": owner if run["claimed"] else run["owner"]}  # fmt: skip
