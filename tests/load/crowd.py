"""Who comes: pupils with a page each, a hog, many heavy clients, slow ones, and somebody who only looks at /healthz."""

from __future__ import annotations

import asyncio
import itertools
import random
import time

from tests.load.http import ADDRESS, Connection, Times

SMALL = "/api/v1/analysis?steps=24&hidden=8&batch=2&certificate=false&k={k}&seed={seed}"
HEAVY = "/api/v1/analysis?steps=200&hidden=32&batch=8&certificate=false&seed={seed}"  # some 80 ms of work
LESSON = "/api/v1/analysis?include=row,figures&certificate=false&k={k}"  # as the page asks while only the cuts move
THINKING = 2.0  # seconds between a pupil's choices, on the average
HEAVY_THINKING = 1.0
seeds = itertools.count(1)


async def pupil(port: int, times: Times) -> None:
    """Opens the page, which gives a cookie; then moves k and waits for the answer, thinks, and moves it again."""
    random_one = random.Random(next(seeds))
    connection, seed = await Connection.of_visitor(port), next(seeds)
    while True:
        await asyncio.sleep(random_one.uniform(0, 2 * THINKING))
        await connection.timed(SMALL.format(k=random_one.randint(1, 24), seed=seed), times)


async def same_lesson(port: int, times: Times) -> None:
    """A pupil of a class that is shown one lesson: all move the same slider over the default analysis."""
    random_one, connection = random.Random(next(seeds)), Connection(port)
    while True:
        await asyncio.sleep(random_one.uniform(0, 2 * THINKING))
        await connection.timed(LESSON.format(k=random_one.randint(1, 60)), times)


async def hog(port: int, times: Times) -> None:
    """Asks for one heavy analysis after the other, without a pause and without a cookie."""
    connection = Connection(port)
    while True:
        await connection.timed(HEAVY.format(seed=next(seeds)), times)
        await asyncio.sleep(0)


async def heavy(port: int, times: Times) -> None:
    """One of many honest clients with a heavy wish each."""
    connection = await Connection.of_visitor(port)
    while True:
        await connection.timed(HEAVY.format(seed=next(seeds)), times)
        await asyncio.sleep(HEAVY_THINKING)


async def watcher(port: int, times: Times) -> None:
    """Looks at /healthz ten times a second."""
    connection = Connection(port)
    while True:
        await connection.timed("/healthz", times)
        await asyncio.sleep(0.1)


async def trickler(port: int, times: Times) -> None:
    """Sends a head letter by letter, and begins again when it is cut off, as is promised to everybody else. What it
    notes is how long it was let be, and how it was cut off: told so (408), or closed for another's sake."""
    while True:
        begun = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection(ADDRESS, port)
        except OSError as error:
            times.faults[f"{type(error).__name__} at its start"] += 1
            await asyncio.sleep(1.0)
            continue
        try:
            said, end = await _trickled(reader, writer)
            times.cut_off(said, end - begun)
        finally:
            times.slowest = max(times.slowest, time.perf_counter() - begun)
            writer.close()


async def _trickled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, float]:
    """Sends a letter a second until the server has ended the connection; returns what it said, and when it ended."""
    ended = asyncio.create_task(_ending(reader))
    try:
        for letter in itertools.chain(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", itertools.repeat(ord("a"))):
            writer.write(bytes([letter]))
            await asyncio.sleep(1.0)
            if ended.done():
                break
        return ended.result()
    finally:
        ended.cancel()


async def _ending(reader: asyncio.StreamReader) -> tuple[bytes, float]:
    """A letter that crosses the end on its way makes a reset of it, which is the same end."""
    try:
        said = await reader.read()
    except ConnectionError:
        said = b""
    return said, time.perf_counter()
