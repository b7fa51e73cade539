"""What a server can do at this moment: compute, write to its database, store new runs on its disk.

Looked at once for all who ask within a second, so that asking costs next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import engine
from server.jobs import Jobs
from server.problems import RefusedError
from server.queries import Query
from server.store.errors import StoreError
from server.store.writer import Writer
from server.work import Task

KEPT_SECONDS = 1.0
LONGEST_LOOK = 1.0  # seconds
FINE = "ok"
PING = Task(Query("analysis", engine.Config(steps=2, hidden=1, batch=1), certificate=False), keep=False)


class Readiness:
    """Looks for those who ask; the last look is kept for a moment, and one look goes on at a time. One that is late is
    known to be: who asks then does not wait for it again."""

    def __init__(self, jobs: Jobs, writer: Writer) -> None:
        self._looks: dict[str, Callable[[], Awaitable[object]]] = {
            "compute": lambda: jobs.run("a look whether a compute process answers", PING),
            "database": writer.check_writable,
            "disk": writer.check_space,
        }
        self._looking: dict[str, asyncio.Task[str]] = {}
        self._begun: dict[str, float] = {}
        self._looked = -KEPT_SECONDS

    async def look(self) -> dict[str, str]:
        """Returns for each what is wrong with it, or FINE."""
        now = asyncio.get_running_loop().time()
        if now >= self._looked + KEPT_SECONDS:
            self._looked = now
            for name, look in self._looks.items():
                if name not in self._looking or self._looking[name].done():
                    self._looking[name], self._begun[name] = asyncio.create_task(_outcome(look)), now
        found = await asyncio.gather(*(_within(task, self._begun[name] + LONGEST_LOOK - now)
                                       for name, task in self._looking.items()))  # fmt: skip
        return dict(zip(self._looking, found, strict=True))

    async def stop(self) -> None:
        """Lets go of a look that still goes on."""
        for task in self._looking.values():
            task.cancel()
        await asyncio.gather(*self._looking.values(), return_exceptions=True)


async def _outcome(look: Callable[[], Awaitable[object]]) -> str:
    try:
        await look()
    except (RefusedError, StoreError) as error:
        return f"{error.problem.value}: {error.problem.limit}"
    return FINE


async def _within(looking: asyncio.Task[str], seconds: float) -> str:
    """Returns what a look finds, if it ends so soon."""
    await asyncio.wait({looking}, timeout=max(0.0, seconds))
    return looking.result() if looking.done() else f"no answer within {LONGEST_LOOK:g} s"
