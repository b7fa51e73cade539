"""Which jobs are taken, in which order they are served, and what is said to the others.

The cost of a job is estimated before the work, and the estimates are held to what the work then took. Jobs wait in a
fair queue; light ones have a budget of their own, and a process that does nothing else. Budgets are in seconds of work.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import engine
from server import long
from server.clients import Client
from server.fair import Fair
from server.queries import Query
from server.refusals import busy
from server.settings import Settings
from server.traces.reading import TraceFile
from server.uploads import Upload
from server.work import Task

LEARNING = 0.05  # how much one job's time counts in the factor between estimated and real seconds
FACTORS = 0.1, 10.0  # what the factor is held to
READING = 2e-8  # seconds to read one byte of JSON or of a file
UNKNOWN = 0.2  # seconds that a body costs which is read where it is computed
PUBLISHED = 2.0  # seconds of a published result, or of an exhibit


def estimated_seconds(task: Task, kept: bool = False) -> float:
    """Returns what a task is estimated to take on one core, before anything of it is computed; `kept` says whether
    a process has its place."""
    asked = task.asked
    if isinstance(asked, Upload):
        return 0.01 + len(asked.body) * READING
    if isinstance(asked, TraceFile):
        return 0.1 + asked.size * READING
    if not isinstance(asked, Query):
        return UNKNOWN + len(asked.body) * READING
    if asked.kind in long.KINDS:
        return long.seconds(asked, kept)
    if asked.kind in ("agree", "museum"):
        return PUBLISHED
    include = () if asked.kind == "certificate" else asked.include
    return engine.estimate(asked.config, include, asked.certified).seconds


def longest_seconds(task: Task, factor: float) -> float:
    """Returns what a task may honestly take, which is no estimate where its body is yet to be read. A factor below one
    comes from tasks of another kind than this one, perhaps."""
    known = isinstance(task.asked, Query) and task.asked.kind not in ("agree", "museum")
    return max(1.0, factor) * (estimated_seconds(task) if known else max(estimated_seconds(task), task.seconds))


@dataclass(frozen=True)
class Claim:
    """What one job asks for."""

    client: str
    work: float  # seconds, as estimated for a machine that does nothing else: what waits in turn has equal ones
    seconds: float  # that it takes by today's factor
    light: bool
    network: str = ""


class Claiming(Protocol):
    """Whatever waits here: it knows its claim."""

    @property
    def claim(self) -> Claim: ...


Job = TypeVar("Job", bound=Claiming)


class Admission(Generic[Job]):
    """The queue of one server, and the account of what every client has in it or under way."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.factors = {True: 1.0, False: 1.0}  # of light jobs, and of the others, which have less of a busy machine
        self.refused: Counter[str] = Counter()  # by reason
        self._queue: Fair[Job] = Fair()
        self._jobs: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def __contains__(self, job: object) -> bool:
        return job in self._queue

    def waiting(self, light: bool) -> float:
        """Returns the work that waits in one of the two budgets, in seconds."""
        return self.factors[light] * self._queue.seconds(light)

    def claim(self, task: Task, client: Client, kept: bool = False) -> Claim:
        """Returns what a task asks for, by today's factor. What is light stays light on a machine that is busy."""
        work = estimated_seconds(task, kept)
        light = work < self.settings.light_seconds
        return Claim(client.name, work, self.factors[light] * work, light, client.network)

    def put(self, job: Job) -> None:
        """Puts a job into the queue, or raises RefusedError: 429 where its client has too much here already, 503 where
        all clients together have."""
        self._check_client(job.claim)
        self._check_queue(job.claim)
        self._jobs[job.claim.client] += 1
        self._seconds[job.claim.client] = self._seconds.get(job.claim.client, 0.0) + job.claim.seconds
        self._queue.add(job, job.claim.client, job.claim.work, job.claim.light, job.claim.network)

    def again(self, job: Job) -> None:
        """Puts a job to the front whose process was lost."""
        self._queue.again(job, job.claim.work, job.claim.light)

    def next(self, light: bool | None = None) -> Job | None:
        """Returns the job that is served next (the next light one, the next of the others), or None."""
        return self._queue.pop(light)

    def done(self, job: Job) -> None:
        """Strikes a job from the account, however it ended; it leaves the queue if it is still there."""
        self._queue.remove(job)
        client = job.claim.client
        self._jobs[client] -= 1
        self._seconds[client] -= job.claim.seconds
        if self._jobs[client] <= 0:
            del self._jobs[client], self._seconds[client]

    def learn(self, job: Job, seconds: float) -> None:
        """Moves the factor of its kind by what a job really took."""
        light = job.claim.light
        ratio = seconds / job.claim.work
        low, high = FACTORS
        self.factors[light] = min(high, max(low, (1 - LEARNING) * self.factors[light] + LEARNING * ratio))

    def _check_client(self, claim: Claim) -> None:
        most, budget = self.settings.client_jobs, self.settings.client_seconds
        has, seconds = self._jobs[claim.client], self._seconds.get(claim.client, 0.0)
        if has and (has >= most or seconds + claim.seconds > budget):
            self.refused["client"] += 1
            value = f"{has} of your analyses, of about {seconds:.1f} s"
            raise busy(value, f"at most {most} of one client, of {budget:g} s, may wait", seconds / max(has, 1), 429)

    def _check_queue(self, claim: Claim) -> None:
        waits = self.waiting(claim.light)
        workers = self.settings.workers
        budget = self.settings.light_queue_seconds if claim.light else self.settings.heavy_queue_seconds * workers
        if len(self._queue) >= self.settings.queue_length or (waits and waits + claim.seconds > budget):
            self.refused["queue"] += 1
            value = f"{len(self._queue)} analyses wait, about {waits:.1f} s of work"
            limit = f"at most {self.settings.queue_length} may wait, of {budget:g} s"
            raise busy(value, limit, waits / workers)
