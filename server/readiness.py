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
    """Looks for those who ask; the last look is kept for a moment, and one look goes on at a time."""

    def __init__(self, jobs: Jobs, writer: Writer) -> None:
        self._looks: dict[str, Callable[[], Awaitable[object]]] = {
            "compute": lambda: jobs.run("a look whether a compute process answers", PING),
            "database": writer.check_writable,
            "disk": writer.check_space,
        }
        self._looking: dict[str, asyncio.Task[str]] = {}
        self._looked = -KEPT_SECONDS

    async def look(self) -> dict[str, str]:
        """Returns for each what is wrong with it, or FINE."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._looked + KEPT_SECONDS:
            self._looked = loop.time()
            for name, look in self._looks.items():
                if name not in self._looking or self._looking[name].done():
                    self._looking[name] = asyncio.create_task(_outcome(look))
        await asyncio.wait(self._looking.values(), timeout=LONGEST_LOOK)
        return {name: task.result() if task.done() else _late() for name, task in self._looking.items()}

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


def _late() -> str:
    return f"no answer within {LONGEST_LOOK:g} s"
