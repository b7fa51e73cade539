"""Two lanes: light jobs have processes of their own, and do not wait for heavy ones."""

from __future__ import annotations

import asyncio

from tests.server.test_jobs import run, running, slow, task, until


def test_a_light_job_does_not_wait_for_a_heavy_one() -> None:
    async def scenario() -> None:
        async with running(light_workers=1) as jobs:
            await until(lambda: jobs.ready == 2)
            first, second = (asyncio.ensure_future(jobs.run(f"{seed}", slow(seed))) for seed in (1, 2))
            await asyncio.sleep(0.05)
            done = await jobs.run("light", task())
            assert done.answer.status == 200
            assert done.queue_ms < 500
            assert len(jobs.admission) == 1  # the second heavy one: the light process leaves it alone
            first.cancel(), second.cancel()

    run(scenario())


def test_a_light_job_goes_to_a_process_of_high_niceness_only_while_there_is_a_core_for_it() -> None:
    async def scenario() -> None:
        async with running(workers=2, light_workers=1) as jobs:
            await until(lambda: jobs.ready == 3)
            (light,) = (process for process in jobs.processes if process.light)
            assert all(jobs._takes(process) is None for process in jobs._idle if process is not light)
            first, second = (asyncio.ensure_future(jobs.run(f"{seed}", slow(seed))) for seed in (1, 2))
            await asyncio.sleep(0.05)
            both = await asyncio.gather(*(jobs.run(f"light {n}", task(seed=n)) for n in range(3)))
            assert all(done.answer.status == 200 for done in both)
            first.cancel()
            await until(lambda: len(jobs._idle) == 2)
            jobs._idle.remove(light)  # as if it had a job: two of three are busy, on two cores
            assert [jobs._takes(process) for process in jobs._idle] == [False]
            jobs._idle.append(light)
            second.cancel()

    run(scenario())
