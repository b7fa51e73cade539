"""The store: runs, their events in order, their lanes' checkpoints. Every call is one transaction, and may block."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, literal, select, update

from server.store import housekeeping, opening
from server.store.appending import Outcome, append_all, check
from server.store.database import Database
from server.store.errors import StoreError
from server.store.presence import Presence
from server.store.rows import CLAIMED, RUN_ID, Append, Bounds, Event, NewEvent, NewRun, RunRow
from server.store.tables import checkpoints, events, moments, runs, shown

COLUMNS = (runs.c.id, runs.c.visitor, runs.c.lab, runs.c.title, runs.c.key, runs.c.status, runs.c.note,
           runs.c.created, runs.c.updated, runs.c.last)  # fmt: skip


class Store:
    """Runs that are kept, in SQLite or PostgreSQL. One thread at a time may write with it; others may read.

    Every method raises StoreError where the database cannot do what is asked.
    """

    def __init__(
        self, database: Database, folder: Path | None, presence: Presence, notices: Sequence[str], bounds: Bounds
    ) -> None:
        self._database, self._folder, self._presence, self._bounds = database, folder, presence, bounds
        self.notices = tuple(notices)
        """what was done at the opening about damage or age, each in a sentence"""

    @classmethod
    def open(cls, url: str | None = None, folder: Path | None = None, bounds: Bounds = opening.BOUNDS) -> Store:
        """Returns the store at this address, by default a SQLite file in the folder; its tables are as they must be.

        A file that is damaged is kept aside, and a new one begun; `notices` says so. Older tables are
        brought up to date, after a backup.
        """
        return cls(*opening.opened(url, folder, bounds), bounds)

    def hurry(self) -> None:
        """Has nothing wait any longer for a lock, or for a server that is out of reach."""
        self._database.hurry()

    def close(self) -> None:
        self._presence.end()
        self._database.close()

    def create(self, run: NewRun) -> RunRow:
        """Returns the run, which is now kept as `queued`; or the one that the visitor made with the same key.

        Raises:
            ValueError: the id does not carry 128 bits, or there is no visitor.
            StoreError: also if the disk has too little space left for a new run.
        """
        if not RUN_ID.fullmatch(run.id):
            raise ValueError("id of a run: must be 22 to 64 letters, digits, - or _")
        if not run.visitor:
            raise ValueError("visitor of a run: must not be empty")
        check(Append(run.id, [NewEvent(run.visitor, run.title, run.key, run.lab_json)]))

        def made(connection: Connection) -> RunRow:
            if run.key is not None:
                same = (runs.c.visitor == run.visitor, runs.c.key == run.key)
                if earlier := connection.execute(select(*COLUMNS).where(*same)).first():
                    return _row(earlier)
            housekeeping.check_space(self._folder, self._bounds.reserved_bytes)
            now = time.time()
            row = {"id": run.id, "visitor": run.visitor, "key": run.key, "title": run.title, "lab": run.lab_json,
                   "status": "queued", "note": "", "last": 0, "created": now, "updated": now,
                   "owner": self._presence.owner}  # fmt: skip
            connection.execute(insert(runs), row)
            housekeeping.make_room(connection, run.visitor, self._bounds.kept_runs)
            housekeeping.expire(connection, self._bounds.kept_days, now)
            return RunRow(run.id, run.visitor, run.lab_json, run.title, run.key, "queued", "", now, now, 0)

        try:
            return self._database.write(made, durable=True)
        except StoreError as error:
            if error.kind != "conflict":
                raise
            return self._database.write(made, durable=True)  # another server has just made it, with the same key

    def append(
        self,
        run: str,
        events: Sequence[NewEvent] = (),
        status: str | None = None,
        checkpoints: Sequence[tuple[str, bytes]] = (),
        moments: Sequence[tuple[str, int, bytes]] = (),
        note: str | None = None,
    ) -> list[Event]:
        """Returns the events that are new, with their ids; all of it is kept, or nothing."""
        outcome = self.append_all([Append(run, events, status, note, checkpoints, moments)])[0]
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    def append_all(self, appends: Sequence[Append]) -> list[Outcome]:
        """Returns what `append` would for each, in one transaction; for a run that is not kept, its error."""
        for append in appends:
            check(append)

        def kept(connection: Connection) -> list[Outcome]:
            return append_all(connection, appends, time.time(), self._presence.owner)

        if all(append.status and not append.checkpoints and not append.moments for append in appends):
            return self._database.write_even_if_full(kept)
        return self._database.write(kept, durable=any(append.status for append in appends))

    def interrupt(self) -> list[str]:
        """Marks as interrupted what is queued or running by a server that is not alive any more; returns the ids of
        those runs. The runs of this store itself, and of every other one that is open, are left alone."""

        def marked(connection: Connection) -> list[str]:
            columns, claimed = (runs.c.id, runs.c.owner), runs.c.status.in_(CLAIMED)
            rows = connection.execute(select(*columns).where(claimed).order_by(runs.c.number).with_for_update()).all()
            owners = {row.owner for row in rows} - {None}
            alive = {owner for owner in owners if self._presence.alive(connection, owner)}
            found = [str(row.id) for row in rows if row.owner not in alive]
            if found:
                connection.execute(update(runs).where(runs.c.id.in_(found)).values(status="interrupted"))
            return found

        return self._database.write(marked, durable=True)

    def delete(self, run: str) -> bool:
        """Returns whether the run was kept until now. Nobody finds it any more; `sweep` makes room of it."""
        return self._database.write_even_if_full(lambda c: housekeeping.hide(c, run))

    def sweep(self) -> bool:
        """Takes a piece of the deleted runs away, or gives a piece of the file back to the disk, in some
        milliseconds; returns whether there may be more."""
        return self._database.write_even_if_full(housekeeping.sweep) or self._database.reclaim()

    def check_writable(self) -> None:
        """Raises StoreError where nothing could be written just now; nothing is."""
        self._database.write(lambda c: c.execute(update(runs).where(runs.c.number < 0).values(note="")))

    def check_space(self) -> None:
        """Raises StoreError where the disk has no room for a new run."""
        housekeeping.check_space(self._folder, self._bounds.reserved_bytes)

    def expire(self) -> int:
        """Returns how many finished runs were deleted because they are older than `kept_days`."""
        return self._database.write(lambda c: housekeeping.expire(c, self._bounds.kept_days, time.time()))

    def run(self, run: str) -> RunRow | None:
        """Returns a run, or None if it is not kept."""
        question = select(*COLUMNS).where(runs.c.id == run, shown)
        found = self._database.read(lambda c: c.execute(question).first())
        return None if found is None else _row(found)

    def runs(self, visitor: str, limit: int = 100) -> list[RunRow]:
        """Returns a visitor's runs, the newest first, whatever the clock said when they were made; without their labs,
        which may hold a text of megabytes each."""
        columns = [literal("").label("lab") if column is runs.c.lab else column for column in COLUMNS]
        question = select(*columns).where(runs.c.visitor == visitor, shown).order_by(runs.c.number.desc()).limit(limit)
        return self._database.read(lambda c: [_row(row) for row in c.execute(question)])

    def events(self, run: str, after: int = 0, limit: int = 1000) -> list[Event]:
        """Returns the first events of a run whose ids are greater than `after`, in order."""
        columns = (events.c.id, events.c.kind, events.c.lane, events.c.key, events.c.data)
        question = select(*columns).join(runs, runs.c.number == events.c.run)
        question = question.where(runs.c.id == run, shown, events.c.id > after).order_by(events.c.id).limit(limit)
        return self._database.read(lambda c: [Event(*row) for row in c.execute(question)])

    def checkpoint(self, run: str, lane: str) -> bytes | None:
        """Returns a lane's last checkpoint, or None if it has none."""
        question = select(checkpoints.c.data).join(runs, runs.c.number == checkpoints.c.run)
        question = question.where(runs.c.id == run, shown, checkpoints.c.lane == lane)
        return self._database.read(lambda c: c.scalar(question))

    def moment(self, run: str, lane: str, tokens: int) -> bytes | None:
        """Returns the weights of a moment of a lane, or None if they are not kept."""
        question = select(moments.c.data).join(runs, runs.c.number == moments.c.run)
        question = question.where(runs.c.id == run, shown, moments.c.lane == lane, moments.c.tokens == tokens)
        return self._database.read(lambda c: c.scalar(question))


def _row(row: Row[*tuple[Any, ...]]) -> RunRow:
    named = row._mapping
    return RunRow(named["id"], named["visitor"], named["lab"], named["title"], named["key"], named["status"],
                  named["note"], named["created"], named["updated"], named["last"])  # fmt: skip
