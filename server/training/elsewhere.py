"""Several servers that share a database: each knows of the others' runs only what the store says.

The events of a run that another server trains are read from the store for those who watch it here, and what is asked of
it here is written there as an event, which the server that trains it obeys. So it does not matter which server a
request comes to.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from server.problems import RefusedError
from server.refusals import busy
from server.store.errors import StoreError
from server.store.rows import CLAIMED, Event
from server.store.writer import Writer
from server.training.attention import LOOKED, Attention
from server.training.ledger import ORDER, Ledger, event
from server.training.messages import FINISHED
from server.training.runs import Run
from server.training.watching import Viewers

log = logging.getLogger("unrolled")
LOOK_SECONDS = 0.25
OBEY_SECONDS = 5.0
PAGE = 1000
FORSAKEN = "Nobody had looked at it for {:g} s, so that others have its place. It can be resumed."
STATUSES = {"pause": "paused", "step": "paused", "stop": "cancelled"}  # what an action comes to

Control = Callable[[Run, str, float, str, str], Awaitable[None]]


class Elsewhere:
    """Looks into the store, as long as there is anything to look for: runs of `own`, and runs that are watched.

    What is asked elsewhere of one of `own` is done by `control`, for the client whom it is charged to; one of `own` at
    which nobody looks for `seconds` is paused."""

    def __init__(
        self,
        ledger: Ledger,
        own: Callable[[], Sequence[Run]],
        control: Control,
        clients: Mapping[str, str],
        seconds: float,
    ) -> None:
        self._ledger, self._own, self._control, self._clients = ledger, own, control, clients
        self._attention = Attention(seconds)
        ledger.ordered = self._ordered
        self._last: dict[str, int] = {}  # of each run that is watched here: the last event that was sent
        self._looking: asyncio.Task[None] | None = None
        self._obeying: set[asyncio.Task[None]] = set()

    @property
    def _writer(self) -> Writer:
        return self._ledger.writer

    @property
    def _viewers(self) -> Viewers:
        return self._ledger.viewers

    def is_ours(self, run: Run) -> bool:
        """Returns whether what this server knows of a run is all there is to know: another may take up one at rest."""
        busy = run.status in CLAIMED or run.control.locked() or run in self._own()
        return run.id in self._clients and (busy or run.unstored)

    def has(self, run: Run) -> bool:
        """Returns whether another server that shares the database has a run in hand."""
        return run.id not in self._clients and run.status in CLAIMED

    def asked(self, run: str) -> None:
        """Somebody asks about a run, whichever server trains it."""
        self._attention.ask(run)
        if self._attention.asked:
            self.look()

    def look(self) -> None:
        """Begins to look, if it is not under way; called when a run goes on here, or somebody looks at one here."""
        if self._looking is None and not self._viewers.closing:
            self._looking = asyncio.create_task(self._look())

    async def order(self, run: Run, action: str, rate: float) -> None:
        """Has the server that trains a run do something with it; returns when it has. Raises RefusedError (503)."""
        if action == "resume":
            return  # it goes on already
        said = await self._writer.append(run.id, [event(ORDER, action=action, rate=rate)])
        last, end = said[0].id, asyncio.get_running_loop().time() + OBEY_SECONDS
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(LOOK_SECONDS / 2)
            new = await self._writer.events(run.id, last, PAGE)
            last = new[-1].id if new else last
            kinds = _take_in(run, new)
            if run.status in (STATUSES.get(action), *FINISHED) or (action == "rate" and "rate" in kinds):
                return
        raise busy(run.id, "the server that trains it does not answer", 5, subject="run")

    async def stop(self) -> None:
        """Ends the looking."""
        for task in (self._looking, *self._obeying):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _look(self) -> None:
        try:
            while (own := {run.id: run for run in self._own()}) or self._viewers.count or self._attention.asked:
                for run in self._attention.forsaken([*own.values()], self._viewers.watched()):
                    self._soon(self._obeyed(run, "pause", 0.0, FORSAKEN.format(self._attention.seconds)))
                others = {*self._viewers.watched(), *self._attention.asked} - {*own}
                for id in [*own, *others]:
                    try:
                        await (self._look_at_own(own[id]) if id in own else self._look_at(id))
                    except StoreError as error:
                        log.info("events from elsewhere have to wait: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._looking = None

    async def _look_at_own(self, run: Run) -> None:
        """Takes in what others have written about a run of ours."""
        async with run.storing:
            self._ledger.noted(run, await self._writer.events(run.id, run.last, PAGE))

    def _ordered(self, run: Run, order: Event) -> None:
        said = json.loads(order.data_json)
        if said["action"] == LOOKED:
            self._attention.ask(run.id)
        else:
            self._soon(self._obeyed(run, said["action"], said["rate"]))

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._obeying.add(task)
        task.add_done_callback(self._obeying.discard)

    async def _obeyed(self, run: Run, action: str, rate: float, note: str = "") -> None:
        try:
            await self._control(run, action, rate, self._clients[run.id], note)
        except RefusedError as refused:  # whoever asked is told when nothing comes of it
            log.info("%s of run %s, asked elsewhere: %s", action, run.id, refused.problem)

    async def _look_at(self, id: str) -> None:
        """Sends what is new in a run of another server to those who watch it here; they know what they have."""
        await self._attention.tell(self._writer, id)
        if id not in self._viewers.watched():
            return
        if id not in self._last:
            row = await self._writer.run(id)
            self._last[id] = 0 if row is None else max(0, row.last - PAGE)
        while new := await self._writer.events(id, self._last[id], PAGE):
            self._last[id] = new[-1].id
            self._viewers.publish(id, new)
        self._last = {each: last for each, last in self._last.items() if each in self._viewers.watched()}


def _take_in(run: Run, events: Sequence[Event]) -> set[str]:
    """Has a run, as it was asked about, know what has happened; returns the kinds of what has."""
    for each in events:
        run.note_event(each)
        if each.kind == "state":
            said = json.loads(each.data_json)
            run.status, run.note = said["status"], said["note"]
    return {each.kind for each in events}
