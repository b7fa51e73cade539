"""How late the event loop is: a timer that wakes up now and then, and sees how long after its time that is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

log = logging.getLogger("unrolled")
LOOK_SECONDS = 0.25
WARN_SECONDS = 1.0  # what is less stands in /metrics alone
QUIET_SECONDS = 10.0  # between two lines of the log


class Lag:
    """Looks from its start to its stop, and tells `note` each time by how many seconds the loop was late."""

    def __init__(self, note: Callable[[float], None]) -> None:
        self._note = note
        self._said = -QUIET_SECONDS
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._look())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            late = loop.time() - due
            self._note(late)
            if late > WARN_SECONDS and loop.time() > self._said + QUIET_SECONDS:
                self._said = loop.time()
                log.warning("the event loop was held up for %.1f s", late)
