"""What nobody waits for any more is not computed to its end, and its process is ready for something else at once."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from tests.server.test_jobs import run, running, slow, task, until


def test_a_process_whose_client_has_gone_stops_and_is_kept() -> None:
    async def scenario() -> None:
        async with running(cancel_seconds=30) as jobs:
            await until(lambda: jobs.ready == 1)
            pid = next(iter(jobs.processes)).pid
            for seed in range(10):
                waiting = asyncio.ensure_future(jobs.run("same", slow(seed)))
                await until(lambda: any(job.process for job in jobs._flying.values()))
                await asyncio.sleep(0.02)
                waiting.cancel()
                await asyncio.sleep(0)
                assert not jobs._flying  # so that the same question, asked again, is a new one
                assert (await jobs.run(f"after {seed}", task())).answer.status == 200
            assert [process.pid for process in jobs.processes] == [pid]
            assert max(jobs.admission.factors.values()) < 2  # what was dropped is no measure of anything

    run(scenario())


def test_a_process_that_does_not_stop_is_ended() -> None:
    async def scenario() -> None:
        async with running(cancel_seconds=0.1) as jobs:
            await until(lambda: jobs.ready == 1)
            process = next(iter(jobs.processes))
            waiting = asyncio.ensure_future(jobs.run("a", slow()))
            await until(lambda: any(job.process for job in jobs._flying.values()))
            os.kill(process.pid, signal.SIGSTOP)
            waiting.cancel()
            await until(lambda: process not in jobs.processes)
            assert (await jobs.run("b", task())).answer.status == 200

    run(scenario())


def test_a_job_that_nobody_waits_for_is_ended() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            await until(lambda: jobs.ready == 1)
            first, queued = asyncio.ensure_future(jobs.run("a", slow())), asyncio.ensure_future(jobs.run("b", task()))
            await asyncio.sleep(0.1)
            queued.cancel()
            await asyncio.sleep(0.01)
            assert list(jobs._flying) == ["a"]
            first.cancel()
            begun = time.monotonic()
            assert (await jobs.run("c", task())).answer.status == 200
            assert time.monotonic() - begun < 5
            assert not jobs._flying

    run(scenario())


def test_a_job_that_another_still_waits_for_goes_on() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            one, other = (asyncio.ensure_future(jobs.run("a", task(steps=2000, hidden=32))) for _ in range(2))
            await until(lambda: bool(jobs._flying) and jobs._flying["a"].process is not None)
            one.cancel()
            assert (await other).answer.status == 200

    run(scenario())
