"""Which process a question goes to: the one that keeps what it can use."""

from __future__ import annotations

from server.places import Place, place_of
from server.queries import Query, read_query
from server.work import Task
from tests.server.test_jobs import run, running, until

SMALL = "steps=12&hidden=4&batch=1"


def asked(kind: str, query: str) -> Query:
    return read_query(kind, query.encode())


def task(kind: str, query: str) -> Task:
    found = asked(kind, query)
    return Task(found, seconds=1e9, place=place_of(found))


def places(kind: str, query: str) -> Place:
    found = place_of(asked(kind, query))
    assert found is not None
    return found


def test_what_shares_a_reference_has_a_place_in_common() -> None:
    here = places("analysis", f"{SMALL}&k=3")
    for kind, query in (("analysis", f"{SMALL}&k=7"), ("analysis", f"{SMALL}&style=full"), ("credit", SMALL),
                        ("certificate", f"{SMALL}&value=reset"), ("credit", f"{SMALL}&value=reset")):
        assert places(kind, query) == here
    assert places("analysis", f"{SMALL}&gain=2") != here


def test_what_no_process_keeps_has_no_place() -> None:
    assert place_of(Query("agree", asked("analysis", SMALL).config)) is None
    assert place_of(asked("analysis", "steps=2000&hidden=256&batch=64")) is None  # too large to be kept
    given = Query("analysis", asked("analysis", SMALL).config, given={"weights": {}})
    assert place_of(given) is None


def test_a_question_goes_to_the_process_that_keeps_its_reference() -> None:
    async def scenario() -> None:
        async with running(workers=2) as jobs:
            await until(lambda: jobs.ready == 2)
            for n in range(4):
                await jobs.run(f"k {n}", task("analysis", f"{SMALL}&k={n + 2}"))
            await jobs.run("credit", task("credit", SMALL))
            assert sorted(process.answered for process in jobs.processes) == [0, 5]
            await jobs.run("another", task("analysis", f"{SMALL}&gain=2"))
            assert sorted(process.answered for process in jobs.processes) in ([0, 6], [1, 5])

    run(scenario())


def test_no_heavy_question_goes_to_a_process_for_light_ones_that_keeps_its_reference() -> None:
    async def scenario() -> None:
        async with running(workers=1, light_workers=1, light_seconds=0.02) as jobs:
            await until(lambda: jobs.ready == 2)
            await jobs.run("light", task("analysis", SMALL))
            light = next(process for process in jobs.processes if process.light)
            assert light.answered == 1
            heavy = Task(asked("analysis", SMALL), seconds=1e9, place=place_of(asked("analysis", SMALL)))
            jobs.admission.settings = jobs.settings.model_copy(update={"light_seconds": 0.0})
            await jobs.run("heavy", heavy)
            assert [process.answered for process in jobs.processes if not process.light] == [1]

    run(scenario())


def test_a_process_that_keeps_a_long_sequence_keeps_it_beside_a_reference() -> None:
    long = "task=copy&lag=2&steps=600&hidden=3&batch=1"

    async def scenario() -> None:
        async with running(workers=2) as jobs:
            await until(lambda: jobs.ready == 2)
            await jobs.run("overview", task("long", long))
            home = next(process for process in jobs.processes if process.answered)
            jobs._idle.sort(key=lambda process: process is not home)  # its turn is next
            await jobs.run("short", task("analysis", SMALL))
            await jobs.run("close-up", task("closeup", f"{long}&from=5&to=50"))
            assert home.answered == 3

    run(scenario())
