"""The stored part of a run's stream: read once for all who come at once, and nothing is missed for it."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from server.store import Event, NewEvent, NewRun, Store, StoreError, Writer, new_id
from server.store.errors import LOCKED
from server.training.stored import PAGE, Stored


class Held(Store):
    """A store whose reading can be held up, and that counts how often it was read."""

    readings: int
    gate: threading.Event

    def events(self, run: str, after: int = 0, limit: int = 1000) -> list[Event]:
        self.readings += 1
        return super().events(run, after, limit)


class House:
    """A run with some events, and what reads them."""

    def __init__(self, store: Held) -> None:
        store.readings, store.gate = 0, threading.Event()
        self.store, self.writer = store, Writer(lambda: store)
        self.stored = Stored(self.writer)

    async def begin(self, events: int) -> None:
        self.run = (await self.writer.create(NewRun(new_id(), "ann", "{}"))).id
        await self.add(0, events)

    async def add(self, first: int, count: int) -> None:
        made = [NewEvent("point", "0.0", str(n), "{}") for n in range(first, first + count)]
        await self.writer.append(self.run, made)

    async def hold(self) -> asyncio.Task[Any]:
        """Returns a task of the thread that reads, in which it stays until the gate opens."""
        entered = threading.Event()

        def stay(_: Store) -> bool:
            entered.set()
            return self.store.gate.wait(20)

        held = asyncio.create_task(self.writer.reading(stay))
        await asyncio.to_thread(entered.wait, 20)
        return held


def played(folder: Path, scene: Any, events: int = 0) -> None:
    async def whole() -> None:
        store = Held.open(f"sqlite:///{folder}/unrolled.sqlite3")
        assert isinstance(store, Held)
        house = House(store)
        await house.begin(events)
        await scene(house)
        await house.writer.close()

    asyncio.run(whole())


def ids(batch: Any) -> list[int]:
    return [event.id for event in batch.events]


def test_two_hundred_who_come_at_once_share_one_reading_and_its_bytes(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        held = await house.hold()
        asked = [asyncio.create_task(house.stored.page(house.run, after)) for after in range(200)]
        await asyncio.sleep(0)
        house.store.gate.set()
        pages = await asyncio.gather(*asked)
        await held
        assert house.store.readings == 1
        assert all(page is pages[0] for page in pages)
        assert ids(pages[0]) == list(range(1, 231))

    played(tmp_path, scene, 230)


def test_a_page_begins_at_a_multiple_and_is_whole_or_the_last(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        first, last = await house.stored.page(house.run, PAGE - 1), await house.stored.page(house.run, PAGE)
        assert ids(first) == list(range(1, PAGE + 1))
        assert ids(last) == list(range(PAGE + 1, PAGE + 11))
        assert ids(await house.stored.page(house.run, 5 * PAGE + 3)) == []

    played(tmp_path, scene, PAGE + 10)


def test_who_comes_after_a_reading_has_begun_has_one_of_his_own(tmp_path: Path) -> None:
    """He may have missed what was stored, and told to those who watched, between the two."""

    async def scene(house: House) -> None:
        begun, go_on = threading.Event(), threading.Event()
        real = house.store.events

        def slow(run: str, after: int = 0, limit: int = 1000) -> list[Event]:
            found = real(run, after, limit)
            begun.set()
            go_on.wait(20)
            return found

        house.store.events = slow  # type: ignore[method-assign]
        early = asyncio.create_task(house.stored.page(house.run, 0))
        await asyncio.to_thread(begun.wait, 20)
        await house.add(3, 1)
        late = asyncio.create_task(house.stored.page(house.run, 0))
        await asyncio.sleep(0)
        go_on.set()
        assert ids(await early) == [1, 2, 3]
        assert ids(await late) == [1, 2, 3, 4]
        assert house.store.readings == 2

    played(tmp_path, scene, 3)


def test_one_who_leaves_takes_nothing_from_the_others(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        held = await house.hold()
        leaves, stays = (asyncio.create_task(house.stored.page(house.run, 0)) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.sleep(0)
        house.store.gate.set()
        assert ids(await stays) == [1, 2]
        assert await held
        assert leaves.cancelled()

    played(tmp_path, scene, 2)


@pytest.mark.parametrize("asking", [1, 3])
def test_a_reading_that_never_began_is_not_waited_for_again(tmp_path: Path, asking: int) -> None:
    """The database could not be opened; when it can, the next one reads."""

    async def whole() -> None:
        there: list[Store] = []

        def opening() -> Store:
            if not there:
                raise StoreError(*LOCKED)
            return there[0]

        stored = Stored(Writer(opening))
        failed = await asyncio.gather(*(stored.page("r", 0) for _ in range(asking)), return_exceptions=True)
        assert [type(error) for error in failed] == [StoreError] * asking
        there.append(Store.open(f"sqlite:///{tmp_path}/unrolled.sqlite3"))
        assert ids(await stored.page("r", 0)) == []
        there[0].close()

    asyncio.run(whole())

