"""Compute processes that hang, go astray, cannot be had, or have done enough; and those that are only slow."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from server.jobs import Jobs
from server.process import Process
from server.spoilt import MOST, SECONDS, Spoilt
from tests.server.test_jobs import refusal, running, slow, task, until


async def computing(jobs: Jobs) -> Process:
    """Returns the process that is at a job."""
    await until(lambda: any(job.process in jobs.processes for job in jobs._flying.values()))
    return next(job.process for job in jobs._flying.values() if job.process is not None)


def test_a_process_that_hangs_is_ended_and_its_job_done_by_another() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            asked = asyncio.ensure_future(jobs.run("a", task(steps=2000, hidden=32)))
            process = await computing(jobs)
            os.kill(process.pid, signal.SIGSTOP)
            assert (await asked).answer.status == 200
            assert process not in jobs.processes
            assert jobs.lost == 1

    asyncio.run(scenario())


def test_a_job_that_goes_astray_is_ended_and_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.jobs.longest_seconds", lambda task, factor: 0.01)

    async def scenario() -> None:
        async with running() as jobs:
            error = await refusal(jobs.run("a", slow()))
            assert (error.problem.field, error.problem.value) == ("steps", "over 1.03 s")
            assert max(jobs.admission.factors.values()) < 1.2  # one of them does not spoil the estimates of the others
            again = await refusal(jobs.run("a", slow()))
            assert again.problem.value == "the same question again"
            assert 1 <= int(again.headers["Retry-After"]) <= SECONDS
            assert (await jobs.run("b", task())).answer.status == 200

    asyncio.run(scenario())


def test_a_job_that_gets_on_slowly_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with much else to do: here the process may run for a twelfth of the time."""
    monkeypatch.setattr("server.jobs.longest_seconds", lambda task, factor: 0.5)

    async def scenario() -> None:
        async with running() as jobs:
            asked = asyncio.ensure_future(jobs.run("a", task(steps=1000, hidden=32)))
            process = await computing(jobs)
            for _ in range(6):
                os.kill(process.pid, signal.SIGSTOP)
                await asyncio.sleep(0.55)
                os.kill(process.pid, signal.SIGCONT)
                await asyncio.sleep(0.05)
            assert not asked.done()
            assert (await asked).answer.status == 200
            assert jobs.processes == {process}

    asyncio.run(scenario())


@pytest.mark.parametrize("worn", [{"worker_jobs": 2}, {"worker_held_bytes": 2**20}])
def test_a_process_that_has_done_enough_is_replaced_without_a_word(
    worn: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with running(**worn) as jobs:
            await until(lambda: jobs.ready == 1)
            first = next(iter(jobs.processes))
            for seed in range(3):
                assert (await jobs.run(f"{seed}", task(seed=seed))).answer.status == 200
            assert first not in jobs.processes
            assert jobs.lost == 0

    asyncio.run(scenario())
    assert caplog.text == ""


def test_a_process_that_cannot_be_had_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process, no memory, no open file: some day there is."""
    real, refused = asyncio.create_subprocess_exec, [BlockingIOError(11, "no process"), OSError(24, "no file")]

    async def seldom(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        if refused:
            raise refused.pop()
        return await real(*arguments, **options)

    async def scenario() -> None:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", seldom)
        async with running() as jobs:
            assert (await jobs.run("a", task())).answer.status == 200
            assert not refused

    asyncio.run(scenario())


def test_spoilt_questions_are_forgotten() -> None:
    spoilt = Spoilt()
    for number in range(MOST + 1):
        spoilt.note(f"{number}", 100.0)
    assert spoilt.left("0", 100.0) == 0
    assert spoilt.left("1", 100.0) == SECONDS
    assert spoilt.left("1", 100.0 + SECONDS) == 0
    assert spoilt.left("other", 0.0) == 0


def test_a_process_that_waits_for_a_core_is_not_one_that_hangs() -> None:
    """One that computes, is stopped, or sleeps: only the first wants a core."""

    async def scenario() -> None:
        async with running() as jobs:
            asked = asyncio.ensure_future(jobs.run("a", task(steps=1000, hidden=32)))
            process = await computing(jobs)
            await until(process.wants)
            os.kill(process.pid, signal.SIGSTOP)
            await until(lambda: not process.wants())
            os.kill(process.pid, signal.SIGCONT)
            assert (await asked).answer.status == 200
            await until(lambda: not process.wants())
            process.kill()
            await process.ended()
            assert not process.wants()

    asyncio.run(scenario())
