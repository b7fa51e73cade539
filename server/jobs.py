"""The only processes: a bounded queue before them, their limits, their replacement, and what is kept.

One asyncio task keeps each compute process alive (`_keep`); a job goes to a process that is idle
(`_dispatch`). Identical questions in flight are computed once. A job that nobody waits for any more
leaves the queue, or is ended.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.errors import Problem
from server.cache import Cache
from server.problems import RefusedError, refuse
from server.process import DeadError, Process
from server.settings import Settings
from server.work import Answer, Task

log = logging.getLogger("unrolled")
LONGEST_PAUSE = 10.0  # seconds between two tries to start a process that keeps dying
SETTLED = 5.0  # seconds after which a process that died did not die of its start


@dataclass(frozen=True)
class Done:
    """An answer, and how it was come by."""

    answer: Answer
    queue_ms: float
    kept: bool


@dataclass(eq=False)
class Job:
    """One question in the queue or in a process."""

    key: str
    task: Task
    future: asyncio.Future[Done]
    queued: float = field(default_factory=time.monotonic)
    waiting: int = 0
    process: Process | None = None
    deaths: int = 0
    expiry: asyncio.TimerHandle | None = None


class Jobs:
    """The compute processes of one server and the queue before them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cache: Cache[Answer] = Cache(settings.cache_bytes)
        self.processes: set[Process] = set()
        self._idle: list[Process] = []
        self._queue: deque[Job] = deque()
        self._flying: dict[str, Job] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def ready(self) -> int:
        """How many processes are warm."""
        return len(self.processes)

    def start(self) -> None:
        """Starts the processes, without waiting for them."""
        self._loop = asyncio.get_running_loop()
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self.settings.workers)]

    def refuse_soon(self) -> None:
        """Has the event loop refuse everything; may be called by a signal handler."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.refuse_all)

    def refuse_all(self) -> None:
        """Refuses what waits and what runs: the server is about to stop."""
        self._stopping = True
        for job in list(self._flying.values()):
            self._fail(job, _stopping())

    async def stop(self) -> None:
        """Ends every process, and returns when all are gone."""
        self.refuse_all()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)

    async def run(self, key: str, task: Task) -> Done:
        """Returns the answer, or raises RefusedError (503). Cancelled, it drops the job that nobody else awaits."""
        kept = self.cache.get(key)
        if kept is not None:
            return Done(kept, 0.0, True)
        job = self._flying.get(key) or self._admit(key, task)
        job.waiting += 1
        try:
            return await asyncio.shield(job.future)
        finally:
            job.waiting -= 1
            if job.waiting == 0 and not job.future.done():
                self._abandon(job)

    def _admit(self, key: str, task: Task) -> Job:
        if self._stopping:
            raise _stopping()
        if len(self._queue) >= self.settings.queue_length:
            raise busy(f"{len(self._queue)} analyses wait", f"at most {self.settings.queue_length} may wait")
        loop = asyncio.get_running_loop()
        job = Job(key, task, loop.create_future())
        job.future.add_done_callback(lambda future: future.cancelled() or future.exception())
        job.expiry = loop.call_later(self.settings.queue_seconds, self._expire, job)
        self._flying[key] = job
        self._queue.append(job)
        self._dispatch()
        return job

    def _expire(self, job: Job) -> None:
        if job in self._queue:
            self._fail(job, busy(f"waited {self.settings.queue_seconds:g} s", "no compute process was free in time"))

    def _abandon(self, job: Job) -> None:
        """Drops a job from the queue, or ends it a little later: it may be done by then, and its answer kept."""
        if job.process is None:
            self._fail(job, _stopping())
        else:
            asyncio.get_running_loop().call_later(self.settings.cancel_seconds, self._end_abandoned, job)

    def _end_abandoned(self, job: Job) -> None:
        if job.waiting == 0 and not job.future.done() and job.process is not None:
            job.process.kill()

    def _dispatch(self) -> None:
        while self._idle and self._queue:
            job, process = self._queue.popleft(), self._idle.pop()
            job.process = process
            running = asyncio.create_task(self._execute(job, process))
            self._running.add(running)
            running.add_done_callback(self._running.discard)

    async def _execute(self, job: Job, process: Process) -> None:
        """Has a process do a job. A process that is too slow is killed; its keeper starts another."""
        queue_ms = 1000 * (time.monotonic() - job.queued)
        try:
            async with asyncio.timeout(self.settings.job_seconds):
                answer = await process.ask(job.task)
        except TimeoutError:
            process.kill()
            self._fail(job, _too_slow(self.settings.job_seconds))
        except DeadError:
            self._died(job)
        else:
            self._succeed(job, Done(answer, queue_ms, False))
            if process in self.processes:
                self._idle.append(process)
            self._dispatch()

    def _died(self, job: Job) -> None:
        """Tries a job once more whose process was lost, if somebody waits for it."""
        job.deaths += 1
        job.process = None
        if job.future.done():
            return
        if job.waiting and job.deaths < 2 and not self._stopping:
            self._queue.appendleft(job)
            self._dispatch()
        else:
            self._fail(job, _lost())

    def _succeed(self, job: Job, done: Done) -> None:
        self._forget(job)
        if done.answer.status == 200:
            self.cache.put(job.key, done.answer)
        if not job.future.done():
            job.future.set_result(done)

    def _fail(self, job: Job, error: RefusedError) -> None:
        self._forget(job)
        if not job.future.done():
            job.future.set_exception(error)

    def _forget(self, job: Job) -> None:
        if job.expiry is not None:
            job.expiry.cancel()
        if self._flying.get(job.key) is job:
            del self._flying[job.key]
        if job in self._queue:
            self._queue.remove(job)

    async def _keep(self) -> None:
        """Keeps one compute process alive: starts it, waits for its end, pauses longer each time it fails, again."""
        failures = 0
        while True:
            begun = time.monotonic()
            failures = 0 if await self._live() or time.monotonic() - begun > SETTLED else failures + 1
            if failures:
                log.error("a compute process ended at its start, %d times in a row", failures)
                await asyncio.sleep(min(0.1 * 2**failures, LONGEST_PAUSE))

    async def _live(self) -> bool:
        """Runs one process from its start to its end. Returns whether it has been of use."""
        try:
            process = await Process.start(self.settings)
        except DeadError:
            return False
        self.processes.add(process)
        self._idle.append(process)
        self._dispatch()
        try:
            await process.ended()
            log.warning("compute process %d ended; another one is started", process.pid)
        finally:
            self.processes.discard(process)
            self._idle = [other for other in self._idle if other is not process]
            await process.end()
        return process.answered > 0


def pids(processes: Iterable[Process]) -> list[int]:
    """Returns the process ids, ascending."""
    return sorted(process.pid for process in processes)


def busy(value: str, limit: str) -> RefusedError:
    """Returns the refusal (503) of what may be asked again in some seconds."""
    seconds = random.randint(1, 4)  # spread, so that those who were refused do not come back together
    return refuse(503, "server", value, limit, f"Try again in {seconds} s.", Retry_After=str(seconds))


def _stopping() -> RefusedError:
    return refuse(503, "server", "stopping", "takes no more analyses", "Try again later.", Retry_After="5")


def _too_slow(seconds: float) -> RefusedError:
    return RefusedError(
        503,
        Problem(
            "steps",
            f"over {seconds:g} s",
            f"an analysis may compute for {seconds:g} s",
            "Ask for fewer steps, a smaller batch or a smaller hidden width.",
        ),
        {"Retry-After": "60"},
    )


def _lost() -> RefusedError:
    return refuse(
        503,
        "server",
        "a lost compute process",
        "the process that computed this ended",
        "Try again, or with fewer steps or a smaller hidden width.",
        Retry_After="2",
    )
