"""What the server has done with is gone at once, and does not wait for the garbage collector, which comes seldom: what
an error holds would fill a hundred MiB between two of its visits."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.app import create_app
from server.jobs import Jobs
from server.problems import RefusedError
from server.settings import Settings
from tests.server.test_jobs import slow, task

TIMES = 10


@pytest.fixture
def left() -> Iterator[Callable[[], int]]:
    """Returns how many refusals there are more than at the start, while the collector does not come."""
    gc.collect()
    gc.disable()
    before = refusals()
    yield lambda: refusals() - before
    gc.enable()


def refusals() -> int:
    return sum(type(each) is RefusedError for each in gc.get_objects())


async def ask(app: Any, path: str) -> int:
    """Returns the status of the answer to somebody who does not leave."""
    sent: list[dict[str, Any]] = []
    first = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(first, None) or await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost")]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"steps=8",
             "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http",
             "root_path": "", "http_version": "1.1", "asgi": {"version": "3.0"}}  # fmt: skip
    await app(scope, receive, send)
    return int(sent[0]["status"])


def test_a_refusal_leaves_nothing(left: Callable[[], int]) -> None:
    async def scenario() -> None:
        app = create_app(Settings(workers=1, light_workers=0))
        app.state.services.jobs.refuse_all()
        assert [await ask(app, "/api/v1/analysis") for _ in range(TIMES)] == [503] * TIMES
        await asyncio.sleep(0.01)  # what was cancelled ends
        assert left() == 0

    asyncio.run(scenario())


def test_a_job_that_waited_too_long_leaves_nothing(left: Callable[[], int]) -> None:
    async def scenario() -> None:
        jobs = Jobs(Settings(workers=1, light_workers=0, queue_seconds=0.1))  # without a process
        refused = 0
        for seed in range(TIMES):
            try:
                await jobs.run(str(seed), task(seed=seed))
            except RefusedError:
                refused += 1
        await asyncio.sleep(0.01)  # the loop has done with the last one, too
        assert refused == TIMES
        assert left() == 0

    asyncio.run(scenario())


def test_a_job_that_nobody_awaits_leaves_nothing(left: Callable[[], int]) -> None:
    async def scenario() -> None:
        jobs = Jobs(Settings(workers=1, light_workers=0, analysis_seconds=3600))
        waiting = asyncio.create_task(jobs.run("a", slow()))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        del waiting
        await asyncio.sleep(0.01)
        assert left() == 0

    asyncio.run(scenario())
