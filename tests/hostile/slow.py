"""Slow clients by the hundred: `python -m tests.hostile.slow -n 1100`.

A quarter each: heads that trickle in, bodies that stop, connections that say nothing, and answers and event streams
that nobody reads. Meanwhile somebody asks for /healthz. Prints pass or fail with the figures."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.server.live import Live, live
from tests.server.training_client import LONG, Visitor

LARGE = "/api/v1/analysis?steps=400&hidden=4&batch=1&include=credit,figures&certificate=false"
POST = (b"POST /api/v1/estimate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 9\r\n\r\n{")
KINDS = ("head", "body", "silent", "unread")
PROBE_SECONDS, LOOK_SECONDS = 0.05, 0.25
STREAMS = 8  # of one visitor, that may stay open; and files of the server's own
CLOSED, UNREAD = 15.0, 30.0  # seconds from the connection on: all but the answers that nobody reads, and those


@dataclass
class Seen:
    """What came of it: seconds until each kind was closed, connections that the server held, the probes' seconds."""

    closed: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS[:3]})
    held: list[tuple[float, int]] = field(default_factory=list)  # seconds, the server's open files over those before
    probes: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def quantile(self, share: float) -> float:
        """Returns milliseconds."""
        ordered = sorted(self.probes)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def freed(self, most: int) -> float:
        """Returns the seconds until the server held no more than so many; infinity if it never came to that."""
        late = [seconds for seconds, count in self.held if count > most]
        return max(late, default=0.0) if self.held[-1][1] <= most else math.inf

    def __str__(self) -> str:
        times = ", ".join(f"{len(found)} {kind} closed within {max(found, default=0):.1f} s"
                          for kind, found in self.closed.items())  # fmt: skip
        most = max(count for _, count in self.held)
        return (f"{times}; the server held {most} at most and {self.held[-1][1]} at the end; {len(self.probes)} probes "
                f"{dict(self.statuses)}, median {self.quantile(0.5):.1f} ms, p99 {self.quantile(0.99):.1f} ms")


async def attack(server: Live, count: int, seconds: float, run: str) -> Seen:
    """Returns what a server does about so many slow clients, as soon as all are closed, or after so many seconds."""
    seen = Seen()
    before = _files(server)
    slow = [asyncio.create_task(_slow(server.port, n, run, seen)) for n in range(count)]
    probing = asyncio.create_task(_probe(server.port, seen))
    begun = time.monotonic()
    watched = [task for number, task in enumerate(slow) if KINDS[number % 4] in seen.closed]
    while time.monotonic() - begun < seconds:
        await asyncio.sleep(LOOK_SECONDS)
        seen.held.append((time.monotonic() - begun, _files(server) - before))
        if all(task.done() for task in watched) and seen.held[-1][1] <= STREAMS:
            break
    for task in (probing, *slow):
        task.cancel()
    await asyncio.gather(probing, *slow, return_exceptions=True)
    return seen


def _files(server: Live) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


async def _slow(port: int, number: int, run: str, seen: Seen) -> None:
    kind, begun = KINDS[number % 4], time.monotonic()
    stream = f"/api/v1/training/{run}/events" if number % 8 == 7 else f"{LARGE}&seed={number % 8}"
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        try:
            await _behave(kind, stream, reader, writer)
        finally:
            writer.close()
    if kind in seen.closed:
        seen.closed[kind].append(time.monotonic() - begun)


async def _behave(kind: str, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Returns when the server has closed the connection; of one that reads nothing only the server knows."""
    get = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
    if kind == "unread":
        writer.write(get + b"\r\n")
        await asyncio.sleep(3600)
    if kind == "body":
        writer.write(POST)
    trickle = asyncio.create_task(_trickle(writer, get)) if kind == "head" else None
    try:
        while await reader.read(1024):
            pass
    finally:
        if trickle:
            trickle.cancel()


async def _trickle(writer: asyncio.StreamWriter, head: bytes) -> None:
    with contextlib.suppress(OSError):
        for letter in head + b"X: " + b"a" * 10_000:
            writer.write(bytes([letter]))
            await asyncio.sleep(0.2)


async def _probe(port: int, seen: Seen) -> None:
    """Asks for /healthz again and again, each time on a connection of its own."""
    while True:
        begun = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
            finally:
                writer.close()
            seen.statuses[int(answer.split(b" ")[1])] += 1
        except (OSError, IndexError):
            seen.statuses[0] += 1
        seen.probes.append(time.perf_counter() - begun)
        await asyncio.sleep(PROBE_SECONDS)


@contextmanager
def attacked(**settings: object) -> Iterator[tuple[Live, str]]:
    """Yields a server, and the id of a run on it that goes on for the time."""
    with live(workers=1, light_workers=0, training_workers=1, **settings) as server:
        visitor = Visitor(server.port)
        run = visitor.start(LONG)
        server.get(f"{LARGE}&seed=0")
        yield server, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=1100, help="slow clients")
    parser.add_argument("--seconds", type=float, default=40, help="how long they stay")
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * given.n + 256, hard), hard))
    with attacked() as (server, run):
        seen = asyncio.run(attack(server, given.n, given.seconds, run))
    print(seen)
    times = [max(seen.closed[kind], default=0) for kind in seen.closed]
    good = set(seen.statuses) == {200} and seen.quantile(0.99) <= 100 and max(times) <= CLOSED
    good = good and sum(map(len, seen.closed.values())) >= 3 * (given.n // 4) and seen.freed(STREAMS) <= UNREAD
    print(f"all but the streams closed after {seen.freed(STREAMS):.1f} s: {'pass' if good else 'FAIL'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
