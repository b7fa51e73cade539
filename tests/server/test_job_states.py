"""The rarer states of a job: its process is lost, once, twice, when nobody awaits it, or while the server stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.jobs import Done, Job, Jobs
from server.problems import RefusedError
from server.settings import Settings
from server.spoilt import MOST, SECONDS, Spoilt
from server.work import Answer, Task
from tests.server.test_jobs import refusal, run, task

ANSWER = Done(Answer(200, "application/json", b"{}", False, 1.0), False)


@asynccontextmanager
async def asked() -> AsyncIterator[tuple[Jobs, Job, asyncio.Task[Done]]]:
    """Yields a job that waits, of jobs without a process, and who awaits it."""
    jobs = Jobs(Settings(workers=1, light_workers=0))
    waits = asyncio.create_task(jobs.run("key", task()))
    await asyncio.sleep(0)
    yield jobs, jobs._flying["key"], waits
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)


def test_a_job_whose_process_is_lost_waits_again_once_and_is_then_refused_for_a_while() -> None:
    async def scenario() -> None:
        async with asked() as (jobs, job, waits):
            assert jobs.admission.next(None) is job
            jobs._died(job)
            assert not waits.done()
            assert jobs.admission.next(None) is job
            jobs._died(job)
            assert "ended" in str(await refusal(waits))
            again = await refusal(jobs.run("key", task()))
            assert "the same question again" in str(again)
            assert 0 < int(again.headers["Retry-After"]) <= SECONDS

    run(scenario())


def test_a_job_whose_process_is_lost_while_the_server_stops_is_refused() -> None:
    async def scenario() -> None:
        async with asked() as (jobs, job, waits):
            jobs.stopping = True
            jobs._died(job)
            assert "ended" in str(await refusal(waits))
            assert jobs._flying == {}

    run(scenario())


def test_a_job_that_nobody_awaits_is_not_tried_again() -> None:
    async def scenario() -> None:
        async with asked() as (jobs, job, _):
            assert jobs.admission.next(None) is job
            job.waiting = 0
            jobs._died(job)
            assert jobs.admission.next(None) is None
            with pytest.raises(RefusedError):
                await job.future

    run(scenario())


def test_what_has_been_answered_stays_so() -> None:
    async def scenario() -> None:
        async with asked() as (jobs, job, waits):
            jobs._succeed(job, ANSWER)
            jobs._died(job)
            jobs._succeed(job, ANSWER)
            jobs._end_abandoned(job)
            jobs.refuse_all()
            assert (await waits) is ANSWER
            assert jobs.cache.get("key") is ANSWER.answer
            assert job.deaths == 1

    run(scenario())


def test_what_was_refused_while_it_was_computed_is_kept_for_the_next_one() -> None:
    async def scenario() -> None:
        async with asked() as (jobs, job, waits):
            jobs.refuse_all()
            jobs._succeed(job, ANSWER)
            assert "stopping" in str(await refusal(waits))
            assert (await jobs.run("key", task())).answer is ANSWER.answer

    run(scenario())


class Process:
    """One that answers when it is told to, or breaks."""

    light = killed = False

    def __init__(self) -> None:
        self.told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def ask(self, task: Task) -> Answer:
        return await self.told

    def computed(self) -> None:
        return None

    def worn(self, settings: Settings) -> bool:
        return False

    def kill(self) -> None:
        self.killed = True


@asynccontextmanager
async def refused_at_work() -> AsyncIterator[tuple[Jobs, Job, Process]]:
    """Yields a job that a process still computes when everything has been refused; and sees that the work ends."""
    async with asked() as (jobs, job, waits):
        process: Any = Process()
        working = asyncio.create_task(jobs._execute(job, process))
        await asyncio.sleep(0)
        jobs.refuse_all()
        assert "stopping" in str(await refusal(waits))
        yield jobs, job, process
        await working


def test_what_is_answered_after_everything_was_refused_is_kept_and_no_lost_process_is_idle() -> None:
    """Its process may have ended when it had answered: then nobody may be given to it."""

    async def scenario() -> None:
        async with refused_at_work() as (jobs, job, process):
            factors = dict(jobs.admission.factors)
            process.told.set_result(ANSWER.answer)
        assert jobs.cache.get("key") is ANSWER.answer
        assert jobs.admission.factors == factors  # the time of a refused job says nothing
        assert (job.process, jobs._idle, process.killed) == (None, [], False)

    run(scenario())


def test_what_goes_wrong_after_everything_was_refused_is_said_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with refused_at_work() as (jobs, job, process):
            process.told.set_exception(RuntimeError("a fault of ours"))
        assert process.killed
        assert "stopping" in str(job.future.exception())
        assert jobs._flying == {}

    run(scenario())
    assert "a job failed in the front process" in caplog.text


@pytest.mark.parametrize(("settled", "failures"), [(60.0, [0, 1, 2]), (-1.0, [0, 0, 0])])
def test_a_process_that_ended_after_a_while_did_not_end_of_its_start(
    monkeypatch: pytest.MonkeyPatch, settled: float, failures: list[int]
) -> None:
    """Only those that end at their start are started more and more rarely."""
    told: list[int] = []

    async def live(jobs: Jobs, light: bool, failed: int) -> int:
        told.append(failed)
        if len(told) == len(failures):
            raise asyncio.CancelledError  # the server stops
        return failed + 1

    monkeypatch.setattr(Jobs, "_live", live)
    monkeypatch.setattr("server.jobs.SETTLED", settled)

    async def scenario() -> None:
        with pytest.raises(asyncio.CancelledError):
            await Jobs(Settings())._keep(False)

    run(scenario())
    assert told == failures


def test_everything_is_refused_soon_also_when_another_thread_says_so() -> None:
    async def scenario() -> None:
        async with asked() as (jobs, _, waits):
            jobs.refuse_soon()  # it has not been started: there is nobody to tell
            assert not jobs.stopping
            jobs._loop = asyncio.get_running_loop()
            threading.Thread(target=jobs.refuse_soon).start()
            assert "stopping" in str(await refusal(waits))
        with pytest.raises(RefusedError):
            await jobs.run("another", task())
        ended.append(jobs)

    ended: list[Jobs] = []
    run(scenario())
    ended[0].refuse_soon()  # nor is there anybody when the loop has ended


def test_only_so_many_questions_are_refused_and_for_so_long() -> None:
    spoilt = Spoilt()
    for n in range(MOST + 1):
        spoilt.note(f"{n}", 0.0)
    spoilt.note("1", 5.0)
    spoilt.note("one more", 5.0)
    assert [spoilt.left(key, 10.0) for key in ("0", "1", "2", "3", "never")] == [0, SECONDS - 5, 0, SECONDS - 10, 0]
    assert spoilt.left("3", SECONDS) == 0
    assert spoilt.left("3", 10.0) == 0  # forgotten
