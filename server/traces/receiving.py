"""A trace's file as it arrives: counted, and written to a temporary file in pieces, so that it is never held whole."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from starlette.requests import ClientDisconnect, Request

from engine.recorded import Declared, parse_expected
from server import bodies
from server.problems import RefusedError, refuse
from server.queries import read_pairs
from server.refusals import busy
from server.settings import Settings
from server.traces.reading import TraceFile

TYPES = ("application/x-npz", "application/octet-stream", "application/zip")
PIECE = 2**20
PREFIX, SUFFIX = "unrolled-", ".trace"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LEFT_SECONDS = 2 * 3600
LEAST = 2**17  # bytes that come in each time that another body has in all: whoever sends less keeps others out


def expected(raw: bytes) -> Declared | None:
    """Returns what an address's query expects of the trace. Raises InputError or RefusedError."""
    given = read_pairs(raw, ("expect",))
    return parse_expected(given["expect"]) if "expect" in given else None


@asynccontextmanager
async def received(request: Request, settings: Settings, held: asyncio.Semaphore) -> AsyncIterator[TraceFile]:
    """Yields the file that a request brings, on disk; it is removed afterwards.

    Raises RefusedError (400, 408, 413, 415), and 503 where as many files as may be are being read already."""
    expect = expected(request.scope["query_string"])
    if held.locked():
        raise busy(f"{settings.traces_at_once} traces are being read", "no more are taken at the same time")
    async with held:
        try:
            path = await asyncio.to_thread(_made)
        except OSError:
            raise _no_room() from None
        try:
            size = await _stored(request, settings, path)
            yield TraceFile(str(path), size, expect)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _made() -> Path:
    """Returns a new empty file that nobody else may read."""
    with tempfile.NamedTemporaryFile(prefix=PREFIX, suffix=SUFFIX, delete=False) as file:
        return Path(file.name)


def remove_left() -> None:
    """Removes the files of a server that was killed while it read them: those older than any that is being read."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*{SUFFIX}"):
        with contextlib.suppress(OSError):  # another user's, or gone already
            if time.time() - path.stat().st_mtime > LEFT_SECONDS:
                path.unlink()


async def _stored(request: Request, settings: Settings, path: Path) -> int:
    bodies.checked_type(request, TYPES)
    if bodies.checked_length(request) > settings.trace_bytes:
        raise await _too_large(request, 0, settings.trace_bytes, True)
    try:
        with path.open("wb") as file:
            async with asyncio.timeout(settings.trace_seconds):
                return await _written(request, file, settings)
    except TimeoutError:
        raise bodies.too_slow(settings.trace_seconds) from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _no_room() from None


def _no_room() -> RefusedError:
    return busy("no room left on its disk", "a trace is stored while it is read", 60)


async def _written(request: Request, file: IO[bytes], settings: Settings) -> int:
    size, waiting, most, began = 0, bytearray(), settings.trace_bytes, time.monotonic()
    while True:
        late = began + settings.body_seconds * (1 + (size + len(waiting)) // LEAST) - time.monotonic()
        try:
            message = await asyncio.wait_for(request.receive(), late)
        except TimeoutError:
            limit = f"must bring {LEAST} bytes every {settings.body_seconds:g} s"
            raise refuse(408, "file", "too slow", limit, "Send it over a faster line.", Connection="close") from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        waiting += message.get("body", b"")
        more = message.get("more_body", False)
        if size + len(waiting) > most:
            raise await _too_large(request, size + len(waiting), most, more)
        if len(waiting) >= PIECE or not more:
            await asyncio.to_thread(file.write, bytes(waiting))
            size += len(waiting)
            waiting.clear()
        if not more:
            return size


async def _too_large(request: Request, size: int, most: int, more: bool) -> RefusedError:
    if more:
        await bodies.discard(request, size)
    return refuse(413, "file", f"over {most} bytes", f"must have at most {most} bytes",
                  "Record fewer updates, losses or rows.", Connection="close")


