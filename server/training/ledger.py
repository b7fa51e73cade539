"""What happens in a run is stored first; then it is noted, and sent to whoever watches."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from server.store.rows import Event, NewEvent
from server.store.writer import Writer
from server.training.messages import Report
from server.training.runs import Run
from server.training.watching import Viewers

ORDER = "order"  # the kind of an event that asks something of the server that trains


class Ledger:
    """The only way for an event to come into the world."""

    def __init__(self, writer: Writer, viewers: Viewers) -> None:
        self.writer, self.viewers = writer, viewers
        self.ordered: Callable[[Run, Event], None] = lambda run, event: None  # is told of what other servers ask

    async def record(self, run: Run, *events: NewEvent, status: str | None = None, note: str = "") -> None:
        """Stores events, and with a status the event that says so; raises StoreError."""
        said = (*events, state(status, note)) if status else events
        async with run.storing:
            await self._stored(run, await self.writer.append(run.id, said, status, note=note if status else None))
            if status:
                run.status, run.note, run.unstored = status, note, False

    async def report(self, run: Run, report: Report) -> None:
        """Stores what a process reports, in one transaction; raises StoreError."""
        if not (report.events or report.checkpoints or report.moments):
            return
        made = [NewEvent(event.kind, event.lane, event.key, event.data_json) for event in report.events]
        async with run.storing:
            stored = await self.writer.append(
                run.id, made, checkpoints=report.checkpoints, moments=report.moments
            )
            await self._stored(run, stored)

    def tell(self, run: Run, kind: str, **data: Any) -> None:
        """Tells those who watch what cannot be stored. It has no id, and is not part of the run."""
        self.viewers.publish(run.id, [Event(0, kind, "", None, json.dumps(data))])

    async def _stored(self, run: Run, events: Sequence[Event]) -> None:
        """Notes what was stored, and before it what another server has stored in between."""
        if events and events[0].id > run.last + 1:
            self.noted(run, await self.writer.events(run.id, run.last, events[0].id - run.last - 1))
        self.noted(run, events)

    def noted(self, run: Run, events: Sequence[Event]) -> None:
        """Has a run know what was stored, and tells those who watch it here."""
        for event in events:
            run.note_event(event)
            if event.kind == ORDER:
                self.ordered(run, event)
        self.viewers.publish(run.id, events)


def state(status: str, note: str = "") -> NewEvent:
    """Returns the event of a new status."""
    return event("state", status=status, note=note, at=round(time.time(), 3))


def event(kind: str, **data: Any) -> NewEvent:
    """Returns an event of the run as a whole; it is kept however often it comes."""
    return NewEvent(kind, "", None, json.dumps(data))
