"""The stored events of runs, in pages: one reading serves all who asked for a page before it began."""

from __future__ import annotations

import asyncio
from functools import partial

from server.store.rows import Event
from server.store.store import Store
from server.store.writer import Writer
from server.training.sending import Batch

PAGE = 250  # events, from a multiple of it on: what one viewer holds of a run's past at a time
Key = tuple[str, int]  # a run, and the event before the page's first


class Stored:
    """A class that opens the same run at once has each page read, and encoded, once and not two hundred times."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._coming: dict[Key, asyncio.Task[Batch]] = {}  # readings that have not begun

    async def page(self, run: str, after: int) -> Batch:
        """Returns the page of the run's events in which the one after `after` is, or would be. If it has fewer than
        PAGE events, nothing more was stored at some moment since the call. Raises StoreError."""
        key = (run, after - after % PAGE)
        coming = self._coming.get(key)
        if coming is None:
            coming = self._coming[key] = asyncio.create_task(self._read(key))
        return await asyncio.shield(coming)  # one who leaves takes nothing from the others

    async def _read(self, key: Key) -> Batch:
        try:
            return Batch(await self._writer.reading(partial(self._begun, key)))
        finally:
            if self._coming.get(key) is asyncio.current_task():  # it never began
                del self._coming[key]

    def _begun(self, key: Key, store: Store) -> list[Event]:
        """In the thread that reads: who asks from now on has a reading of his own, as more may be stored meanwhile."""
        self._coming.pop(key, None)
        return store.events(*key, PAGE)
