"""The asynchronous face: many wait, few commits, and each learns what became of his own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.store import Append, Event, NewEvent, NewRun, Store, StoreError, Writer, new_id
from server.store.tables import runs


def point(number: int, data: str = "{}") -> NewEvent:
    return NewEvent("point", "0.0", str(number), data)


class Counting(Store):
    """A store that counts its commits, and knows the threads that used it."""

    commits: list[int]
    threads: set[str]

    @classmethod
    def at(cls, url: str) -> Counting:
        made = cls.open(url)
        assert isinstance(made, Counting)
        made.commits, made.threads = [], set()
        return made

    def append_all(self, appends: Sequence[Append]) -> Sequence[list[Event] | StoreError]:
        self.commits.append(len(appends))
        self.threads.add(threading.current_thread().name)
        return super().append_all(appends)


async def a_run(writer: Writer) -> str:
    return (await writer.create(NewRun(new_id(), "ann", "{}"))).id


def test_everything_goes_through(url: str) -> None:
    async def all_of_it() -> None:
        writer = Writer(lambda: Store.open(url))
        run = await a_run(writer)
        kept = await writer.append(run, [point(1)], "running", [("0.0", b"c")], [("0.0", 5, b"m")], "note")
        assert await writer.events(run) == kept == [Event(1, "point", "0.0", "1", "{}")]
        row = await writer.run(run)
        assert row is not None
        assert (row.status, row.note) == ("running", "note")
        assert await writer.checkpoint(run, "0.0") == b"c"
        assert await writer.moment(run, "0.0", 5) == b"m"
        assert [row.id for row in await writer.runs("ann")] == [run]
        assert await writer.expire() == 0
        assert await writer.interrupt() == []
        assert await writer.delete(run) is True
        await writer.close()

    asyncio.run(all_of_it())


def test_what_waits_is_kept_by_few_commits_in_one_thread(url: str) -> None:
    async def many() -> None:
        store = Counting.at(url)
        writer = Writer(lambda: store)
        runs = [await a_run(writer) for _ in range(4)]
        kept = await asyncio.gather(*(writer.append(runs[n % 4], [point(n)]) for n in range(400)))
        assert all(len(events) == 1 for events in kept)
        assert sum(store.commits) == 400
        assert len(store.commits) <= 5
        assert len(store.threads) == 1
        for run in runs:
            events = await writer.events(run)
            assert [event.id for event in events] == list(range(1, 101))
            keys = [int(event.key or 0) for event in events]
            assert keys == sorted(keys)
        await writer.close()

    asyncio.run(many())


def test_an_error_reaches_those_whom_it_concerns_and_nobody_else(url: str) -> None:
    async def mixed() -> None:
        writer = Writer(lambda: Store.open(url))
        run = await a_run(writer)
        outcomes = await asyncio.gather(
            writer.append(run, [point(1)]),
            writer.append(new_id(), [point(1)]),
            writer.append(run, [point(2, "\0")]),
            writer.append(run, [point(3)]),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [list, StoreError, ValueError, list]
        assert [event.key for event in await writer.events(run)] == ["1", "3"]
        await writer.close()

    asyncio.run(mixed())


def test_no_more_waits_than_may(url: str) -> None:
    async def crowd() -> None:
        writer = Writer(lambda: Store.open(url), most_waiting=10)
        run = await a_run(writer)
        outcomes = await asyncio.gather(*(writer.append(run, [point(n)]) for n in range(15)), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, StoreError)]
        assert [(error.kind, error.status) for error in refused] == [("busy", 503)] * 5
        assert len(await writer.events(run)) == 10
        assert len(await writer.append(run, [point(20)])) == 1
        await writer.close()

    asyncio.run(crowd())


def test_what_waits_is_kept_before_the_end(url: str) -> None:
    async def ending() -> str:
        writer = Writer(lambda: Store.open(url))
        run = await a_run(writer)
        waiting = [asyncio.create_task(writer.append(run, [point(n)])) for n in range(300)]
        await asyncio.sleep(0)
        await writer.close()
        assert all(task.done() for task in waiting)
        for late in (writer.append(run, [point(1000)]), writer.run(run)):
            with pytest.raises(StoreError, match="being stopped"):
                await late
        return run

    run = asyncio.run(ending())
    store = Store.open(url)
    assert len(store.events(run)) == 300
    store.close()


def test_a_large_run_is_taken_away_between_the_writes_of_others(url: str) -> None:
    async def deleting() -> None:
        writer = Writer(lambda: Store.open(url))
        large, other = await a_run(writer), await a_run(writer)
        for start in range(0, 5000, 1000):
            await writer.append(large, [point(n) for n in range(start, start + 1000)])
        assert await writer.delete(large) is True
        for n in range(5):
            await writer.append(other, [point(n)])
        store = await writer.store()
        while left(store):
            await asyncio.sleep(0.01)
        assert len(await writer.events(other)) == 5
        await writer.close()

    def left(store: Store) -> int:
        return store._database.read(lambda c: c.scalar(select(func.count()).select_from(runs))) - 1

    asyncio.run(deleting())


def test_who_leaves_does_not_disturb_the_others(url: str) -> None:
    async def leaving() -> None:
        writer = Writer(lambda: Store.open(url))
        run = await a_run(writer)
        tasks = [asyncio.create_task(writer.append(run, [point(n)])) for n in range(20)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 1
        assert [event.id for event in await writer.events(run)] == list(range(1, 21))
        await writer.close()

    asyncio.run(leaving())


def test_a_database_that_is_not_there_yet_is_found_later(tmp_path: Path) -> None:
    async def later() -> None:
        place = tmp_path / "place"
        place.write_text("a file where the folder must be")
        writer = Writer(lambda: Store.open(None, place))
        for _ in range(2):
            with pytest.raises(StoreError) as told:
                await writer.runs("ann")
            assert (told.value.kind, told.value.status) == ("cannot-open", 503)
        place.unlink()
        assert await writer.runs("ann") == []
        await writer.close()

    asyncio.run(later())
