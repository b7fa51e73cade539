"""The front process's end of one compute process."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from dataclasses import replace
from typing import Any

from server.settings import Settings
from server.work import Answer, Task
from server.worker import FRAME, READY, Bounds, pack

START_SECONDS = 60.0
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class DeadError(Exception):
    """Raised where a compute process ended before it answered."""


class Process:
    """A compute process; it does one task at a time. Its pipes are asyncio's own, non-blocking from the start."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.answered = 0

    @classmethod
    async def start(cls, settings: Settings) -> Process:
        """Returns a process that is warm, or raises DeadError."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**20,
            env=os.environ | ONE_THREAD,
            start_new_session=True,
        )
        made = cls(child)
        try:
            async with asyncio.timeout(START_SECONDS):
                await made._send(*pack(Bounds(settings.worker_bytes, settings.worker_nice)))
                if (await made._receive())[0] != READY:
                    raise DeadError
        except BaseException as error:
            await made.end()
            if isinstance(error, (TimeoutError, OSError)):
                raise DeadError from error
            raise
        return made

    @property
    def pid(self) -> int:
        return self._child.pid

    async def ask(self, task: Task) -> Answer:
        """Returns the answer to a task, or raises DeadError if the process ends first."""
        try:
            await self._send(*pack(task))
            head, body = await self._receive()
        except OSError as error:
            raise DeadError from error
        self.answered += 1
        answer: Answer = replace(head, body=body)
        return answer

    def kill(self) -> None:
        """Ends the process now, in the middle of whatever it does."""
        if self._child.returncode is None:
            self._child.kill()

    async def ended(self) -> None:
        """Returns when the process has ended, for whatever reason."""
        await self._child.wait()

    async def end(self) -> None:
        """Kills the process and waits until it is gone and its pipes are closed."""
        self.kill()
        await self._child.wait()
        self._child._transport.close()  # type: ignore[attr-defined]

    async def _send(self, *parts: bytes) -> None:
        assert self._child.stdin is not None
        self._child.stdin.writelines(parts)
        await self._child.stdin.drain()

    async def _receive(self) -> tuple[Any, bytes]:
        assert self._child.stdout is not None
        try:
            head, body = FRAME.unpack(await self._child.stdout.readexactly(FRAME.size))
            packed = await self._child.stdout.readexactly(head)
            return pickle.loads(packed), await self._child.stdout.readexactly(body)
        except asyncio.IncompleteReadError as error:
            raise DeadError from error
