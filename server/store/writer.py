"""The store's asynchronous face: one thread writes, another one reads, and what waits is kept by one commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from server.store.errors import BUSY, STOPPING, StoreError
from server.store.rows import Append, Event, NewEvent, NewRun, RunRow
from server.store.store import Store

T = TypeVar("T")
log = logging.getLogger("unrolled.store")
Waiting = tuple[Append, asyncio.Future[list[Event]]]
MOST_WAITING = 512
MOST_AT_ONCE = 128
"""appends in one commit"""
ALL_ALIKE = ("locked", "lost", "busy", "cannot-open", "address", "driver", "newer", "missing", "damaged")
"""errors that every append of a commit would meet again by itself"""


class Writer:
    """A store behind two threads. It is opened when it is first needed, and again later if that failed, so that
    a server starts without its database and finds it when it is there.

    Every method raises StoreError as the store's own does; an error of a commit reaches those who waited for it.
    """

    def __init__(self, opening: Callable[[], Store], most_waiting: int = MOST_WAITING) -> None:
        self._opening = opening
        self._store: Store | None = None
        self._opened = asyncio.Lock()
        self._write = ThreadPoolExecutor(1, "store-write")
        self._read = ThreadPoolExecutor(1, "store-read")
        self._most = most_waiting
        self._waiting: list[Waiting] = []
        self._drain: asyncio.Task[None] | None = None
        self._sweep: asyncio.Task[None] | None = None
        self._closing = self._closed = False

    async def store(self) -> Store:
        """Returns the store, open."""
        async with self._opened:
            if self._store is None:
                self._store = await self._in(self._write, self._opening)
                self._tidy()  # what a server that was killed had not taken away
            return self._store

    def hurry(self) -> None:
        """Has nothing wait any longer for a database that is locked or out of reach."""
        if self._store is not None:
            self._store.hurry()

    async def close(self) -> None:
        """Ends when everything that waits has been kept, or refused."""
        self._closing = True
        while busy := [task for task in (self._drain, self._sweep) if task is not None]:
            await asyncio.wait(busy)
        self._closed = True
        self._write.shutdown(wait=False)
        self._read.shutdown(wait=False)
        if self._store is not None:
            self._store.close()

    async def append(
        self,
        run: str,
        events: Sequence[NewEvent] = (),
        status: str | None = None,
        checkpoints: Sequence[tuple[str, bytes]] = (),
        moments: Sequence[tuple[str, int, bytes]] = (),
        note: str | None = None,
    ) -> list[Event]:
        """Returns the events that are new, with their ids, once they are kept."""
        if len(self._waiting) >= self._most:
            raise StoreError(*BUSY)
        future: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        self._waiting.append((Append(run, events, status, note, checkpoints, moments), future))
        if self._drain is None:
            self._drain = asyncio.create_task(self._keep_all())
        return await future

    async def create(self, run: NewRun) -> RunRow:
        """Returns the run, or the earlier one that the visitor made with the same key."""
        row = await self._writing(lambda store: store.create(run))
        self._tidy()
        return row

    async def delete(self, run: str) -> bool:
        """Returns whether the run was kept until now."""
        found = await self._writing(lambda store: store.delete(run))
        self._tidy()
        return found

    async def interrupt(self) -> list[str]:
        """Returns the ids of the runs that were queued or running when the server ended; they are `interrupted` now."""
        return await self._writing(lambda store: store.interrupt())

    async def expire(self) -> int:
        """Returns how many finished runs were deleted for their age."""
        gone = await self._writing(lambda store: store.expire())
        self._tidy()
        return gone

    async def check_writable(self) -> None:
        """Returns when something could be written, which waits its turn as everything does."""
        await self._writing(lambda store: store.check_writable())

    async def check_space(self) -> None:
        """Returns where the disk has room for a new run."""
        await self.reading(lambda store: store.check_space())

    async def reading(self, work: Callable[[Store], T]) -> T:
        """Returns what `work`, which only reads, returned in the thread that reads."""
        store = await self.store()
        return await self._in(self._read, lambda: work(store))

    async def run(self, run: str) -> RunRow | None:
        """Returns a run, or None if it is not kept."""
        return await self.reading(lambda store: store.run(run))

    async def runs(self, visitor: str, limit: int = 100) -> list[RunRow]:
        """Returns a visitor's runs, the newest first."""
        return await self.reading(lambda store: store.runs(visitor, limit))

    async def events(self, run: str, after: int = 0, limit: int = 1000) -> list[Event]:
        """Returns the first events of a run whose ids are greater than `after`."""
        return await self.reading(lambda store: store.events(run, after, limit))

    async def checkpoint(self, run: str, lane: str) -> bytes | None:
        """Returns a lane's last checkpoint, or None."""
        return await self.reading(lambda store: store.checkpoint(run, lane))

    async def moment(self, run: str, lane: str, tokens: int) -> bytes | None:
        """Returns the weights of a moment of a lane, or None."""
        return await self.reading(lambda store: store.moment(run, lane, tokens))

    def _tidy(self) -> None:
        """Has what is left of deleted runs taken away, piece by piece, between the other writes."""
        if self._sweep is None and not self._closing:
            self._sweep = asyncio.create_task(self._take_away())

    async def _take_away(self) -> None:
        try:
            await self._writing(lambda store: store.expire())
            while not self._closing and await self._writing(lambda store: store.sweep()):
                pass
        except StoreError as error:
            log.info("What is left of deleted runs stays for now: %s", error)
        finally:
            self._sweep = None

    async def _writing(self, work: Callable[[Store], T]) -> T:
        store = await self.store()
        return await self._in(self._write, lambda: work(store))

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        if self._closed:
            raise StoreError(*STOPPING)
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    async def _keep_all(self) -> None:
        """Keeps what waits, as much as there is in one commit, until nothing waits."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                outcomes = await self._outcomes([append for append, _ in batch])
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _settle(future, outcome)
        finally:
            self._drain = None

    async def _outcomes(self, appends: Sequence[Append]) -> Sequence[list[Event] | Exception]:
        """Returns what became of each append. If one spoils the commit of all, each is tried by itself."""
        try:
            return await self._writing(lambda store: store.append_all(appends))
        except Exception as error:
            alone = len(appends) == 1 or (isinstance(error, StoreError) and error.kind in ALL_ALIKE)
            if alone:
                return [error] * len(appends)
        return [(await self._outcomes([append]))[0] for append in appends]


def _settle(future: asyncio.Future[list[Event]], outcome: list[Event] | Exception) -> None:
    """Gives an outcome to the one who waits, if he still does."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
