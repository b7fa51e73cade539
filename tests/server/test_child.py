"""A child process that is not wanted any more before it has started."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.child import Child
from server.worker import Bounds
from tests.server.test_jobs import run


def test_a_start_that_is_cancelled_leaves_no_process_and_no_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[asyncio.subprocess.Process] = []
    real = asyncio.create_subprocess_exec

    async def watched(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        begun.append(await real(*arguments, **options))
        await asyncio.sleep(0.02)  # a start takes a while, and is cancelled in the middle of it
        return begun[-1]

    async def scenario() -> None:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
        for wait in (0.0, 0.01, 0.03, 0.1):
            starting = asyncio.create_task(Child.start("server.worker", Bounds(2**31, 0)))
            await asyncio.sleep(wait)
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            assert starting.cancelled()
        assert begun
        assert all(process.returncode is not None for process in begun)
        assert all(process._transport.is_closing() for process in begun)  # type: ignore[attr-defined]

    run(scenario())
