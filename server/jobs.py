"""The compute processes: their limits, their replacement, and what is kept of their answers.

One asyncio task keeps each process alive (`_keep`). Admission says which jobs are taken and which is next; a job goes
to a process that is idle (`_dispatch`). Identical questions in flight are computed once. A job that nobody waits for
any more leaves the queue, or is ended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from server.admission import Admission, Claim, longest_seconds
from server.cache import Cache
from server.clients import NOBODY, Client
from server.problems import RefusedError
from server.process import DeadError, Process
from server.refusals import busy, lost, spoilt, stopping, too_slow
from server.settings import Settings
from server.spoilt import Spoilt
from server.watch import Watch
from server.work import Answer, Task

log = logging.getLogger("unrolled")
LONGEST_PAUSE = 10.0  # seconds between two tries to start a process that keeps dying
NOTICED = 0.1  # seconds in which it is noticed which other processes were ended at the same moment
IN_A_JOB = 2  # failures in a row that deaths in a first job count for: those are the jobs', and jobs are few
TIMES, MORE = 3.0, 1.0  # so many estimates, and so many seconds, may a job compute
SETTLED = 5.0  # seconds after which a process that died did not die of its start


@dataclass(frozen=True)
class Done:
    """An answer, and how it was come by."""

    answer: Answer
    kept: bool
    queue_ms: float = 0.0
    compute_ms: float = 0.0  # from the question to the answer of the compute process
    cost: float = 0.0  # seconds, as estimated before


@dataclass(eq=False)
class Job:
    """One question in the queue or in a process."""

    key: str
    task: Task
    claim: Claim
    future: asyncio.Future[Done]
    expiry: asyncio.TimerHandle = field(init=False)
    queued: float = field(default_factory=time.monotonic)
    waiting: int = 0
    process: Process | None = None
    deaths: int = 0


class Jobs:
    """The compute processes of one server and the queue before them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cache: Cache[Answer] = Cache(settings.cache_bytes)
        self.processes: set[Process] = set()
        self.lost = 0  # processes that ended before they were told to
        self.admission: Admission[Job] = Admission(settings)
        self._spoilt = Spoilt()
        self._idle: list[Process] = []
        self._flying: dict[str, Job] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self.stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def ready(self) -> int:
        """How many processes are warm; none counts while the server stops."""
        return 0 if self.stopping else len(self.processes)

    def start(self) -> None:
        """Starts the processes, without waiting for them."""
        self._loop = asyncio.get_running_loop()
        lights = [False] * self.settings.workers + [True] * self.settings.light_workers
        self._keepers = [asyncio.create_task(self._keep(light)) for light in lights]

    def refuse_soon(self) -> None:
        """Has the event loop refuse everything; may be called by a signal handler."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.refuse_all)

    def refuse_all(self) -> None:
        """Refuses what waits and what runs: the server is about to stop."""
        self.stopping = True
        for job in list(self._flying.values()):
            self._fail(job, stopping())

    async def stop(self) -> None:
        """Ends every process, and returns when all are gone."""
        self.refuse_all()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)

    async def run(self, key: str, task: Task, client: Client = NOBODY) -> Done:
        """Returns the answer, or raises RefusedError (429, 503). Cancelled, it drops a job that nobody else awaits."""
        kept = self.cache.get(key)
        if kept is not None:
            return Done(kept, True)
        job = self._flying.get(key) or self._admit(key, task, client)
        job.waiting += 1
        try:
            return await asyncio.shield(job.future)
        finally:
            job.waiting -= 1
            if job.waiting == 0 and not job.future.done():
                self._abandon(job)
            del job  # its future holds what was raised, which holds this frame

    def _admit(self, key: str, task: Task, client: Client) -> Job:
        if self.stopping:
            raise stopping()
        loop = asyncio.get_running_loop()
        if left := self._spoilt.left(key, loop.time()):
            raise spoilt(left)
        kept = any(process.keeps(task.place) for process in self.processes)
        job = Job(key, task, self.admission.claim(task, client, kept), loop.create_future())
        self.admission.put(job)
        job.future.add_done_callback(lambda future: future.cancelled() or future.exception())
        job.expiry = loop.call_later(self.settings.queue_seconds, self._expire, job)
        self._flying[key] = job
        self._dispatch()
        return job

    def _expire(self, job: Job) -> None:
        if job in self.admission:
            self._fail(job, busy(f"waited {self.settings.queue_seconds:g} s", "no compute process was free in time"))

    def _abandon(self, job: Job) -> None:
        """Drops a job: from the queue, or its process stops at once, and is ended if it does not."""
        process = job.process
        self._fail(job, stopping())
        if process is not None:
            process.drop()
            asyncio.get_running_loop().call_later(self.settings.cancel_seconds, self._end_abandoned, job)

    def _end_abandoned(self, job: Job) -> None:
        if job.process is not None:
            job.process.kill()

    def _dispatch(self) -> None:
        """Gives jobs to idle processes: light ones to those that do nothing else, then any to the others."""
        for process in sorted(self._idle, key=lambda process: not process.light):
            job = self.admission.next(self._takes(process))
            if job is None:
                continue
            home = self._home(job, process)
            self._idle.remove(home)
            job.process = home
            running = asyncio.create_task(self._execute(job, home))
            self._running.add(running)
            running.add_done_callback(self._running.discard)
            if home is not process:
                return self._dispatch()  # for the process that is still idle
        return None

    def _takes(self, process: Process) -> bool | None:
        """Returns which jobs a process may be given now: light ones (True), others (False), any (None).

        One with a high niceness takes a light job only while there is a core for it: else that would wait for whoever
        has a lower one, longer than for its turn there."""
        if process.light:
            return True
        busy = len(self.processes) - len(self._idle)
        lights = any(other.light for other in self.processes)
        return False if lights and busy >= self.settings.workers else None

    def _home(self, job: Job, process: Process) -> Process:
        """Returns the idle process that keeps what a job can use and may take it, or else the one whose turn it is."""
        has_it = (other for other in self._idle if other.keeps(job.task.place))
        return next((other for other in has_it if self._takes(other) in (None, job.claim.light)), process)

    async def _execute(self, job: Job, process: Process) -> None:
        """Has a process do a job. A process that hangs or is too slow is killed; its keeper starts another."""
        begun = time.monotonic()
        watch = Watch(process, lambda: self._longest(job), self.settings.job_seconds)
        try:
            answer = await process.ask(job.task)
        except DeadError:
            if watch.limit:
                self.admission.learn(job, min(time.monotonic() - begun, TIMES * job.claim.seconds))
                self._spoil(job, too_slow(watch.limit))
            else:
                self._died(job)
        except Exception:  # a fault of ours: whoever waits is told, and the process makes way for another
            log.exception("a job failed in the front process")
            process.kill()
            self._fail(job, lost())
        else:
            took, waited = time.monotonic() - begun, begun - job.queued
            job.process = None
            if not job.future.done():
                self.admission.learn(job, took)
            self._succeed(job, Done(answer, False, 1000 * waited, 1000 * took, job.claim.seconds))
            if process.worn(self.settings):
                process.retire()
            elif process in self.processes:
                self._idle.append(process)
            self._dispatch()
        finally:
            watch.stop()

    def _longest(self, job: Job) -> float:
        return TIMES * longest_seconds(job.task, self.admission.factors[job.claim.light]) + MORE

    def _died(self, job: Job) -> None:
        """Tries a job once more whose process was lost, if somebody waits for it."""
        job.deaths += 1
        job.process = None
        if job.future.done():
            return
        if not job.waiting or self.stopping:
            self._fail(job, lost())
        elif job.deaths < 2:
            self.admission.again(job)
            asyncio.get_running_loop().call_later(NOTICED, self._dispatch)
        else:
            self._spoil(job, lost())

    def _spoil(self, job: Job, error: RefusedError) -> None:
        """Refuses a job that ended its processes; the same question is not taken again for a while."""
        self._spoilt.note(job.key, asyncio.get_running_loop().time())
        self._fail(job, error)

    def _succeed(self, job: Job, done: Done) -> None:
        self._forget(job)
        if done.answer.status == 200 and job.task.keep:
            self.cache.put(job.key, done.answer)
        if not job.future.done():
            job.future.set_result(done)

    def _fail(self, job: Job, error: RefusedError) -> None:
        self._forget(job)
        if not job.future.done():
            job.future.set_exception(error)

    def _forget(self, job: Job) -> None:
        job.expiry.cancel()
        if self._flying.get(job.key) is job:
            del self._flying[job.key]
            self.admission.done(job)

    async def _keep(self, light: bool) -> None:
        """Keeps one compute process alive: starts it, waits for its end, pauses longer each time it fails, again."""
        failures = 0
        while True:
            begun = time.monotonic()
            failures = await self._live(light, failures)
            if time.monotonic() - begun > SETTLED:
                failures = 0
            if failures:
                log.error("a compute process ended at its start, %d times in a row", failures)
                await asyncio.sleep(min(0.1 * 2**failures, LONGEST_PAUSE))

    async def _live(self, light: bool, failures: int) -> int:
        """Runs one process from its start to its end. Returns how many have failed in a row, this one among them:
        0 if it has been of use, or was ended from here."""
        try:
            process = await Process.start(self.settings, light)
        except DeadError:
            return failures + 1
        self.processes.add(process)
        self._idle.append(process)
        self._dispatch()
        try:
            await process.ended()
            self.lost += not process.retired
            if not process.retired:
                log.warning("compute process %d ended; another one is started", process.pid)
        finally:
            self.processes.discard(process)
            self._idle = [other for other in self._idle if other is not process]
            await process.end()
        if process.answered or process.killed:
            return 0
        return min(failures + 1, IN_A_JOB) if process.asked else failures + 1
