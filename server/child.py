"""A child process that speaks in frames, from the front process's side; what it does is the module's affair."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import sys
import time
from pathlib import Path
from typing import Any

from server.watch import Watch
from server.worker import FRAME, READY, Bounds, pack

START_SECONDS = 60.0
CPU_CLOCK = 2  # CPUCLOCK_SCHED, as clock_getcpuclockid(3) has it
# Memory that was freed is kept for the next job: to ask the system for it anew took a tenth of an analysis.
KEPT = {"MALLOC_TRIM_THRESHOLD_": str(2**26), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class DeadError(Exception):
    """Raised where a child process ended before it answered."""


async def _begun(module: str) -> asyncio.subprocess.Process:
    """Returns a process that has just been started, or raises DeadError."""
    starting = asyncio.ensure_future(asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
        env=os.environ | ONE_THREAD | KEPT))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:  # halfway, it would be nobody's: uvloop keeps its pipes open, and the process
        with contextlib.suppress(OSError):
            await Child(await starting).end()
        raise
    except OSError as error:  # no process, no memory or no open file is to be had just now
        raise DeadError from error


class Child:
    """A process of ours, with BLAS held to one thread. Its pipes are asyncio's own, non-blocking from the start."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, bounds: Bounds) -> Child:
        """Returns a child that is warm, or raises DeadError. Cancelled at any time, it leaves nothing behind."""
        made = cls(await _begun(module))
        watch = Watch(made, lambda: START_SECONDS, START_SECONDS)
        try:
            await made.send(bounds)
            if (await made.receive())[0] != READY:
                raise DeadError
        except BaseException as error:
            await made.end()
            if isinstance(error, OSError):
                raise DeadError from error
            raise
        finally:
            watch.stop()
        return made

    @property
    def pid(self) -> int:
        return self._process.pid

    async def send(self, head: Any, body: bytes = b"") -> None:
        """Sends one frame, or raises OSError if the child has gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.writelines(pack(head, body))
            await self._process.stdin.drain()
        except RuntimeError as error:  # what uvloop raises once the pipe is closed
            raise BrokenPipeError("the child has gone") from error

    async def receive(self) -> tuple[Any, bytes]:
        """Returns the next frame's head and body, or raises DeadError if the child ends first, or says what cannot be
        read; then it is ended."""
        assert self._process.stdout is not None
        try:
            head, body = FRAME.unpack(await self._process.stdout.readexactly(FRAME.size))
            packed = await self._process.stdout.readexactly(head)
            return pickle.loads(packed), await self._process.stdout.readexactly(body)  # noqa: S301  a frame of our own process
        except Exception as error:
            self.kill()
            raise DeadError from error

    def post(self, head: Any) -> None:
        """Sends one small frame without waiting; a child that has gone needs none."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, RuntimeError):
            self._process.stdin.writelines(pack(head))

    def computed(self) -> float | None:
        """Returns for how many seconds the process has computed, all its threads together; None where it has ended, or
        the system does not say. Linux has a clock for each process, whose number follows from its id."""
        if not sys.platform.startswith("linux"):
            return None
        try:
            return time.clock_gettime(~self.pid << 3 | CPU_CLOCK)
        except OSError:
            return None

    def wants(self) -> bool:
        """Returns whether the process runs, or waits for a core or (in state D) for the disk, where its memory may be;
        False where it sleeps or is stopped, or the system does not say."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()[:1] in ([b"R"], [b"D"])
        except OSError:
            return False

    def kill(self) -> None:
        """Ends the process now, in the middle of whatever it does.

        By its id: `Process.kill` would ask the system about it first, and take its exit code from who waits for it."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def ended(self) -> None:
        """Returns when the process has ended, for whatever reason."""
        await self._process.wait()

    async def end(self) -> None:
        """Kills the process and waits until it is gone and its pipes are closed."""
        self.kill()
        await self._process.wait()
        self._process._transport.close()  # type: ignore[attr-defined]
