"""How fast the store keeps and finds: `python -m benchmarks.store`, SQLite beside PostgreSQL in one run."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from benchmarks.timing import machine, percentile
from scripts.postgres import Postgres
from server.store import NewEvent, NewRun, Store, Writer, new_id

SECONDS = 3.0
LANES = 8
MIB = 2**20
POINT = json.dumps({"lane": "0.0", "tokens": 123456, "update": 1234, "loss": 1.8345, "accuracy": 0.4567, "norm": 2.3456,
                    "clipped": 0.25, "rate": 0.002, "seconds": 12.345})


class Filled:
    """A store with one run, and events that nobody has seen before."""

    def __init__(self, store: Store) -> None:
        self.store, self.run = store, store.create(NewRun(new_id(), "a visitor", "{}")).id
        self._numbers = count()

    def points(self, number: int) -> list[NewEvent]:
        return [NewEvent("point", "0.0", str(next(self._numbers)), POINT) for _ in range(number)]


@contextmanager
def stores() -> Iterator[dict[str, str]]:
    """Yields the addresses of an empty SQLite and an empty PostgreSQL, on the disk that holds temporary files."""
    with tempfile.TemporaryDirectory() as folder, Postgres.started(quick=False) as server:
        yield {"SQLite": f"sqlite:///{Path(folder) / 'runs.sqlite3'}", "PostgreSQL": server.new_database()}


def settle(filled: Filled, address: str) -> None:
    """Puts the first 10,000 events in; PostgreSQL then looks at its tables, which by itself it does within a minute.
    Until then it goes through all events of a run to see which ones are there."""
    for _ in range(100):
        filled.store.append(filled.run, filled.points(100))
    if address.startswith("postgresql"):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("ANALYZE")


def each(act: Callable[[], object]) -> list[float]:
    """Returns how long an act took, each time, in SECONDS of doing it again and again."""
    taken, end = [], time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        act()
        taken.append(time.perf_counter() - start)
    return taken


def say(what: str, taken: list[float], events: int = 0) -> None:
    ms = [1000 * one for one in sorted(taken)]
    rate = len(taken) / sum(taken)
    more = f", {rate * events:8,.0f} events/s" if events else ""
    print(f"  {what:52} {ms[len(ms) // 2]:7.2f} ms, 95 %: {percentile(ms, 0.95):7.2f} ms, {rate:6,.0f}/s{more}")


def appends(filled: Filled) -> None:
    """One program that waits for every commit."""
    for number in (1, 10, 100):
        taken = each(lambda n=number: filled.store.append(filled.run, filled.points(n)))
        say(f"a commit of {number} points", taken, number)
    statuses = ("running", "paused")
    turns = count()
    say("a commit of a status, synced to the disk",
        each(lambda: filled.store.append(filled.run, filled.points(1), status=statuses[next(turns) % 2])))
    weights = bytes(MIB)
    say("a commit of a point with a checkpoint of 1 MiB",
        each(lambda: filled.store.append(filled.run, filled.points(1), checkpoints=[("0.0", weights)])))


async def lanes(filled: Filled) -> None:
    """So many lanes at once behind the writer, each waiting for its own point, as training does."""
    writer, taken = Writer(lambda: filled.store), []
    end = time.perf_counter() + SECONDS

    async def lane() -> None:
        while (start := time.perf_counter()) < end:
            await writer.append(filled.run, filled.points(1))
            taken.append(time.perf_counter() - start)

    await asyncio.gather(*(lane() for _ in range(LANES)))
    say(f"a point of each of {LANES} lanes at once: the wait", taken)
    print(f"  {'together':52} {len(taken) / SECONDS:7,.0f} points/s")
    await writer.close()


def reading(filled: Filled) -> None:
    store, run = filled.store, filled.run
    say("a page of 1000 events", each(lambda: store.events(run, 5000, 1000)), 1000)
    last = max(event.id for event in store.events(run, limit=1_000_000))
    say("the last 10 events of a run", each(lambda: store.events(run, last - 10)))


def main() -> None:
    print(machine())
    with stores() as addresses:
        for name, address in addresses.items():
            print(name)
            filled = Filled(Store.open(address))
            settle(filled, address)
            appends(filled)
            reading(filled)
            asyncio.run(lanes(filled))
            say("opening it, with every event of this run in it", each(lambda a=address: Store.open(a).close()))


if __name__ == "__main__":
    main()
