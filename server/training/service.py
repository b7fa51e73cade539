"""The training service: who may start how much, what waits, and what may be done with a run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from engine.training import Lab, RunView, lab_as_dict
from server.problems import RefusedError, refuse
from server.refusals import busy
from server.settings import Settings
from server.store.errors import StoreError, unknown_run
from server.store.rows import Event, NewRun, new_id
from server.store.writer import Writer
from server.training.conductor import Conductor
from server.training.elsewhere import Elsewhere
from server.training.ledger import Ledger, event, state
from server.training.messages import FINISHED
from server.training.runs import Run, lab_of, recalled
from server.training.stored import Stored
from server.training.summing import view_of
from server.training.watching import Viewers

log = logging.getLogger("unrolled")
KNOWN = 16  # runs that are kept in memory beside those that go on
PAGE = 1000  # events that are read from the store at a time
CANCEL_SECONDS = 0.1
STOP_SECONDS = 0.4
TELL_SECONDS = 0.7  # after which those who watch are let go, whether their run could be stored or not
LONGEST_WAIT = 3600
EXPIRE_SECONDS = 3600.0  # between two looks for runs that are older than they may be
LOOK_SECONDS = 5.0  # between two looks for runs whose server has ended


class Training:
    """All training runs of one server."""

    def __init__(self, settings: Settings, writer: Writer) -> None:
        self.settings, self.writer = settings, writer
        self.stored, self.viewers = Stored(writer), Viewers(settings)
        self.ledger = Ledger(writer, self.viewers)
        self.conductor = Conductor(settings, self.ledger, self.admit)
        self._known: OrderedDict[str, Run] = OrderedDict()
        self._waiting: list[Run] = []
        self._clients: dict[str, str] = {}  # run that goes on or waits -> who is charged for it
        unwatched = settings.training_unwatched_seconds
        self.elsewhere = Elsewhere(self.ledger, self._going, self.control, self._clients, unwatched)
        self._looked, self._expired = -LOOK_SECONDS, -EXPIRE_SECONDS
        self._beginning = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopping = False
        self._end: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def begin(self) -> None:
        """Says of every run that a server left in the middle, and that has no server now, that it was interrupted."""
        self._loop = asyncio.get_running_loop()
        async with self._beginning:
            if self._loop.time() < self._looked + LOOK_SECONDS:
                return
            for run in await self.writer.interrupt():
                note = "The server ended in the middle of it. It can be resumed from its last checkpoint."
                await self.writer.append(run, [state("interrupted", note)], "interrupted", note=note)
            if self._loop.time() > self._expired + EXPIRE_SECONDS:
                await self.writer.expire()
                self._expired = self._loop.time()
            self._looked = self._loop.time()

    async def look(self) -> None:
        """Begins, for those who only read: what cannot be written just now can be read nevertheless."""
        try:
            await self.begin()
        except StoreError:
            self._looked = asyncio.get_running_loop().time()

    @property
    def waiting(self) -> int:
        """How many runs wait for their turn."""
        return len(self._waiting)

    def warm(self) -> None:
        """Has processes ready for somebody who is about to start a run."""
        if not self.stopping:
            self.conductor.pool.warm()

    async def create(self, lab: Lab, title: str, visitor: str, client: str, key: str | None) -> tuple[Run, bool]:
        """Returns the new run and True, or the one that was made with the same key and False.

        Raises RefusedError (429, 503) where too much waits already."""
        await self.begin()
        self._check_room(client)
        self.warm()
        made = new_id()
        text = await asyncio.to_thread(lambda: json.dumps(lab_as_dict(lab)))
        row = await self.writer.create(NewRun(made, visitor, text, title, key))
        if row.id != made:
            if json.loads(row.lab_json) != json.loads(text):
                raise refuse(422, "Idempotency-Key", key, "was used for another lab", "Use a new key for a new run.")
            return await self.get(row.id), False
        run = Run(row.id, visitor, title, lab, row.created)
        self._keep(run)
        await self.enqueue(run, client)
        return run, True

    async def enqueue(self, run: Run, client: str) -> None:
        """Has a run wait for its turn, which may come at once."""
        self._clients[run.id] = client
        try:
            await self.ledger.record(run, status="queued")
        except StoreError as error:
            self.conductor.cannot_store(run, error)
            raise
        self._waiting.append(run)
        self.elsewhere.look()
        self.admit()

    def admit(self) -> None:
        """Starts what may start, in the order in which it came."""
        for run in list(self._waiting):
            active = [other.id for other in self.conductor.active]
            mine = sum(self._clients.get(other) == self._clients[run.id] for other in active)
            if self.stopping or len(active) >= self.settings.training_workers:
                return
            if mine < self.settings.training_per_visitor:
                self._waiting.remove(run)
                self.conductor.engage(run)
                self._soon(self.conductor.announce(run))

    async def get(self, run: str) -> Run:
        """Returns a run, from memory or from the store; raises StoreError (404) for one that is not kept."""
        await self.look()
        self.elsewhere.asked(run)
        known = self._known.get(run)
        if known is not None and self.elsewhere.is_ours(known):
            self._known.move_to_end(run)
            return known
        row = await self.writer.run(run)
        if row is None:
            raise unknown_run(run)
        if known is not None and (known.status, known.last) == (row.status, row.last):
            return known
        events: list[Event] = []
        while more := await self.writer.events(run, events[-1].id if events else 0, PAGE):
            events += more
        found = await asyncio.to_thread(lambda: recalled(row, lab_of(row), events))
        known = self._known.get(run)
        if known is not None and self.elsewhere.is_ours(known):
            return known
        self._clients.pop(run, None)  # another server has done something with it
        return self._keep(found)

    def processes(self, run: Run) -> int:
        """Returns how many processes train a run, or would if it were its turn."""
        return len(self.conductor.pool.of(run)) or self.settings.training_workers

    async def control(self, run: Run, action: str, rate: float, client: str, note: str = "") -> None:
        """Does what was asked; one thing after the other. Raises RefusedError (409) where it makes no sense."""
        async with run.control:
            if run.status in FINISHED and not (action == "stop" and run.status == "cancelled"):
                raise refuse(409, "action", action, f"the run is {run.status}", "Start a new run.")
            if self.elsewhere.has(run):
                await self.elsewhere.order(run, action, rate)
                return
            self._take_over(run, client)
            if action == "resume" and run.status in ("paused", "interrupted"):
                self._check_room(client)
                await self.enqueue(run, client)
            elif action == "pause" and run.status in ("queued", "running"):
                await self._pause(run, note)
            elif action == "step":
                if run.status in ("queued", "running"):
                    await self._pause(run)
                await self.conductor.step(run)
            elif action == "stop" and run.status != "cancelled":
                await self._cancel(run)
            elif action == "rate":
                await self._change_rate(run, rate)

    async def delete(self, run: Run) -> bool:
        """Returns whether the run is gone: one that has come to its end is forgotten; one that goes on is cancelled."""
        async with run.control:
            if self.elsewhere.has(run):
                await self.elsewhere.order(run, "stop", 0.0)
                return False
            if run.status not in FINISHED:
                self._take_over(run, run.visitor)
                await self._cancel(run)
                return False
            self.viewers.close(run.id)
            self._known.pop(run.id, None)
            self._clients.pop(run.id, None)
            return await self.writer.delete(run.id)

    async def view(self, run: Run) -> RunView:
        """Returns the run in plain arrays."""
        return await view_of(self.writer, run)

    def _going(self) -> list[Run]:
        """Returns the runs that go on here, or wait for their turn."""
        return [*self._waiting, *self.conductor.active]

    def _take_over(self, run: Run, client: str) -> None:
        """Has this server answer for a run from now on."""
        if run.id not in self._clients:
            self._clients[run.id] = client
            self._known[run.id] = run

    async def _pause(self, run: Run, note: str = "") -> None:
        """Has a run wait until it is resumed; what it has is kept."""
        with contextlib.suppress(ValueError):
            self._waiting.remove(run)
        await self.conductor.rest(run, "paused", note)

    async def _cancel(self, run: Run) -> None:
        """Ends a run for good within moments; what it has is kept."""
        with contextlib.suppress(ValueError):
            self._waiting.remove(run)
        await self.conductor.end(run, "cancelled", seconds=CANCEL_SECONDS)

    async def _change_rate(self, run: Run, rate: float) -> None:
        """Sets the learning rate of all lanes from the same token count on: where the furthest of them is now."""
        going = run.going
        if going:
            await self.conductor.halt(run)
        tokens = max((lane.standing.tokens for lane in run.unfinished()), default=0)
        ended = [lane.name for lane in run.lanes.values() if lane.standing.ended]
        await self.ledger.record(run, event("rate", tokens=tokens, rate=rate, ended=ended))
        if going:
            self.conductor.engage(run)
            self.conductor.judge(run)

    def close_soon(self) -> None:
        """Has the event loop bring everything to rest; may be called by a signal handler."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._winding)

    async def stop(self) -> None:
        """Ends within a second: what runs is stored, and can be resumed when the server is there again."""
        await self._winding()
        await self.elsewhere.stop()
        await self.conductor.settled()
        await self.conductor.pool.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.writer.close()

    def _winding(self) -> asyncio.Task[None]:
        """Returns the task that brings everything to rest, which is begun once."""
        if self._end is None:
            self._end = asyncio.create_task(self._wind_down())
        return self._end

    async def _wind_down(self) -> None:
        """Interrupts every run, tells those who watch, and ends their streams: also while the store is locked."""
        self.stopping = True
        going = [*self._waiting, *(run for run in self.conductor.active if run.going)]
        self._waiting.clear()
        note = "The server was stopped. The run can be resumed."
        rest = asyncio.gather(*(self.conductor.rest(run, "interrupted", note, STOP_SECONDS) for run in going),
                              return_exceptions=True)  # fmt: skip
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(rest), TELL_SECONDS)
        self.viewers.close()
        self.writer.hurry()
        for outcome in await rest:
            if isinstance(outcome, BaseException):
                log.error("a run could not be stored at the end: %s", outcome)

    def _keep(self, run: Run) -> Run:
        """Remembers a run; of those that do not go on, the last ones asked about."""
        self._known[run.id] = run
        for old in list(self._known.values())[:-KNOWN]:
            if old not in self._waiting and old not in self.conductor.active and not old.unstored:
                del self._known[old.id]
                self._clients.pop(old.id, None)
        return run

    def _check_room(self, client: str) -> None:
        """Raises RefusedError where a visitor, or everybody together, has as much waiting as may wait."""
        mine = [run for run in self._waiting if self._clients[run.id] == client]
        active = [run for run in self.conductor.active if self._clients.get(run.id) == client]
        if len(mine) >= self.settings.training_waiting_per_visitor:
            limit = f"at most {self.settings.training_waiting_per_visitor} may wait"
            raise self._refused(429, f"{len(mine)} runs of yours wait", limit, active)
        if self.stopping or len(self._waiting) >= self.settings.training_queue:
            limit = f"at most {self.settings.training_queue} may wait"
            raise self._refused(503, f"{len(self._waiting)} runs wait", limit, self.conductor.active)

    def _refused(self, status: int, value: str, limit: str, ahead: list[Run]) -> RefusedError:
        left = [seconds for run in ahead if (seconds := run.remaining(self.processes(run))) is not None]
        return busy(value, limit, min(left, default=5.0), status, "training", ", or stop a run", LONGEST_WAIT)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
