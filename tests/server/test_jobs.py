"""The compute processes: killed, hung, abandoned, asked twice; and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

import engine
from server.clients import Client
from server.jobs import Done, Jobs
from server.problems import RefusedError
from server.process import DeadError, Process
from server.queries import Query
from server.settings import Settings
from server.work import Task
from tests.server.training_client import within


def task(**options: object) -> Task:
    return Task(Query("analysis", engine.parse({"steps": 8, "hidden": 4, "batch": 1, **options})), seconds=1e9)


def slow(seed: int = 0) -> Task:
    """A task of many seconds."""
    return task(steps=10_000, hidden=32, batch=1, seed=seed)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Runs a scenario on the loop that serves: it differs from asyncio's own in what it raises and when."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario)


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Jobs]:
    patient = {"client_seconds": 3600, "heavy_queue_seconds": 3600, "queue_seconds": 600, "worker_nice": 0}
    jobs = Jobs(Settings(**{"workers": 1, "light_workers": 0, "cancel_seconds": 0.0, **patient, **options}))
    jobs.start()
    try:
        yield jobs
    finally:
        pids = [process.pid for process in jobs.processes]
        begun = time.monotonic()
        await jobs.stop()
        assert time.monotonic() - begun < 2
        assert not any(map(alive, pids))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + within(seconds)
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        await asyncio.sleep(0.01)


async def refusal(waited: Awaitable[Done]) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        await waited
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"].isdigit()
    return refused.value


def test_an_answer_is_computed_once_and_kept() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            first, second = await asyncio.gather(jobs.run("a", task()), jobs.run("a", task()))
            assert first is second
            assert first.answer.status == 200
            third = await jobs.run("a", task())
            assert third.kept
            assert third.answer is first.answer
            assert next(iter(jobs.processes)).answered == 1

    run(scenario())


def test_a_problem_is_an_answer_but_not_kept() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            bad = Task(Query("analysis", engine.parse({}), given={"weights": {"l0.W_hh": [[1.0]]}}))
            done = await jobs.run("a", bad)
            assert done.answer.status == 422
            assert not (await jobs.run("a", bad)).kept

    run(scenario())


def test_a_process_that_is_killed_while_idle_is_replaced() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            await until(lambda: jobs.ready == 1)
            pid = next(iter(jobs.processes)).pid
            os.kill(pid, signal.SIGKILL)
            assert (await jobs.run("a", task())).answer.status == 200
            assert next(iter(jobs.processes)).pid != pid

    run(scenario())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_process_that_has_ended_says_so_when_it_is_asked(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        process = await Process.start(Settings())
        os.kill(process.pid, signal.SIGKILL)
        await process.ended()
        for _ in range(3):
            with pytest.raises(DeadError):
                await asyncio.wait_for(process.ask(task()), 20)
        await process.end()
        with pytest.raises(DeadError):
            await process.ask(task())

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


def test_whatever_goes_wrong_around_a_job_it_gets_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async def broken(self: Process, task: Task) -> None:
            raise RuntimeError("a fault of ours")

        async with running() as jobs:
            await until(lambda: jobs.ready == 1)
            monkeypatch.setattr(Process, "ask", broken)
            refused = await refusal(asyncio.wait_for(jobs.run("a", task()), 20))
            assert refused.status == 503
            assert "a" not in jobs._flying
            monkeypatch.undo()
            assert (await asyncio.wait_for(jobs.run("a", task()), 20)).answer.status == 200

    run(scenario())


def test_a_job_whose_process_is_killed_is_tried_once_more_and_then_refused() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            waiting = asyncio.ensure_future(jobs.run("a", slow()))
            for _ in range(2):
                await until(lambda: any(job.process in jobs.processes for job in jobs._flying.values()))
                process = next(iter(jobs.processes))
                os.kill(process.pid, signal.SIGKILL)
                await until(lambda gone=process: gone not in jobs.processes)  # type: ignore[misc]
            assert "lost" in str(await refusal(waiting))
            assert (await jobs.run("b", task())).answer.status == 200

    run(scenario())


def test_a_job_that_takes_too_long_is_ended_and_its_process_replaced() -> None:
    async def scenario() -> None:
        async with running(job_seconds=0.5) as jobs:
            await until(lambda: jobs.ready == 1)
            begun = time.monotonic()
            error = await refusal(jobs.run("a", slow()))
            assert error.problem.field == "steps"
            assert time.monotonic() - begun < 2
            assert (await jobs.run("b", task())).answer.status == 200

    run(scenario())


def test_a_full_queue_refuses() -> None:
    async def scenario() -> None:
        async with running(queue_length=1) as jobs:
            await until(lambda: jobs.ready == 1)
            first = asyncio.ensure_future(jobs.run("a", slow(1)))
            await asyncio.sleep(0.05)
            second = asyncio.ensure_future(jobs.run("b", slow(2)))
            await asyncio.sleep(0.05)
            assert "may wait" in str(await refusal(jobs.run("c", slow(3))))
            first.cancel(), second.cancel()

    run(scenario())


def test_a_client_who_asks_for_much_waits_behind_itself() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            await until(lambda: jobs.ready == 1)
            order: list[str] = []

            async def ask(key: str, client: str) -> None:
                await jobs.run(key, task(steps=300, seed=int(key)), Client(client))
                order.append(client)

            await asyncio.gather(*(ask(f"{n}", "hog") for n in range(8)), ask("100", "pupil"))
            assert order.index("pupil") <= 2
            assert not jobs.admission._jobs  # the account is empty when all is done
            assert not jobs.admission._seconds

    run(scenario())


def test_a_client_who_asks_for_too_much_is_told_when_to_come_back() -> None:
    async def scenario() -> None:
        async with running(client_jobs=2) as jobs:
            await until(lambda: jobs.ready == 1)
            both = [asyncio.ensure_future(jobs.run(f"{seed}", slow(seed), Client("hog"))) for seed in range(2)]
            await asyncio.sleep(0.05)
            with pytest.raises(RefusedError) as refused:
                await jobs.run("c", task(), Client("hog"))
            assert refused.value.status == 429
            assert int(refused.value.headers["Retry-After"]) >= 1
            pupil = asyncio.ensure_future(jobs.run("d", task(), Client("pupil")))
            await asyncio.sleep(0.05)
            assert not pupil.done()
            both[0].cancel(), both[1].cancel()
            assert (await pupil).answer.status == 200

    run(scenario())


def test_a_job_that_waits_too_long_is_refused() -> None:
    async def scenario() -> None:
        async with running(queue_seconds=0.2) as jobs:
            await until(lambda: jobs.ready == 1)
            first = asyncio.ensure_future(jobs.run("a", slow()))
            await asyncio.sleep(0.05)
            assert "in time" in str(await refusal(jobs.run("b", task())))
            first.cancel()

    run(scenario())


def test_stopping_refuses_what_waits_and_what_runs() -> None:
    async def scenario() -> None:
        async with running() as jobs:
            await until(lambda: jobs.ready == 1)
            both = [asyncio.ensure_future(jobs.run(key, slow(seed))) for seed, key in enumerate("ab")]
            await asyncio.sleep(0.05)
            jobs.refuse_all()
            for waiting in both:
                assert "stopping" in str(await refusal(waiting))
            await refusal(jobs.run("c", task()))

    run(scenario())


def test_a_process_that_cannot_start_is_tried_more_and_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr("server.child.sys.executable", "/bin/false")
        starts: list[float] = []
        real = asyncio.create_subprocess_exec

        async def counted(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
            starts.append(time.monotonic())
            return await real(*arguments, **options)

        monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
        async with running(queue_seconds=0.3) as jobs:
            assert "in time" in str(await refusal(jobs.run("a", task())))
            await asyncio.sleep(1.2)
            assert jobs.ready == 0
        assert 2 <= len(starts) <= 5

    run(scenario())


def test_memory_beyond_the_limit_is_a_problem_and_not_the_end() -> None:
    async def scenario() -> None:
        async with running(worker_bytes=512 * 2**20) as jobs:
            config = engine.parse({"steps": 10_000, "hidden": 32, "batch": 4})
            large = Task(Query("analysis", config, certificate=False), seconds=1e9)
            done = await jobs.run("a", large)
            assert done.answer.status == 422
            assert b"memory" in done.answer.body
            assert (await jobs.run("b", task())).answer.status == 200

    run(scenario())
