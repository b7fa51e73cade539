"""Reads a request's body: of the right type, not too long, and not too slow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request

from server.problems import RefusedError, refuse
from server.settings import Settings

JSON = "application/json"
MOST_DISCARDED = 16 * 2**20
DISCARD_SECONDS = 5.0
QUIET_SECONDS = 0.25


async def read_json_body(request: Request, settings: Settings) -> bytes:
    """Returns the body's bytes, or raises RefusedError (400, 408, 413, 415)."""
    _, body = await read_typed_body(request, [JSON], settings.body_bytes, settings.body_seconds)
    if not body:
        raise refuse(400, "body", "empty", "must be a JSON object", 'Send at least {"config": {}}.')
    return body


async def read_typed_body(request: Request, types: Sequence[str], most: int, seconds: float) -> tuple[str, bytes]:
    """Returns the body's type, one of `types`, and its bytes, which are counted while they arrive."""
    kind = checked_type(request, types)
    declared = checked_length(request)
    if declared > most:
        await discard(request, 0)
        raise _too_long(declared, most)
    try:
        async with asyncio.timeout(seconds):
            return kind, await _read(request, most)
    except TimeoutError:
        raise too_slow(seconds) from None


def checked_length(request: Request) -> int:
    """Returns the length that is declared, 0 for none; raises RefusedError (400) for one that is no number."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise refuse(400, "Content-Length", declared, "must be a number of bytes", "Leave it to your HTTP library.")
    return int(declared[:20])


def too_slow(seconds: float) -> RefusedError:
    """Returns the refusal (408) of a body that does not arrive."""
    limit = f"must arrive within {seconds:g} s"
    return refuse(408, "body", "incomplete", limit, "Send the request again.", Connection="close")


def checked_type(request: Request, types: Sequence[str]) -> str:
    """Returns the body's type, one of `types`, or raises RefusedError (415)."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in types:
        raise refuse(
            415,
            "Content-Type",
            kind or "none",
            f"must be {' or '.join(types)}",
            "Send the config as JSON, with this header." if JSON in types else "Send the file as it is, with its type.",
            Accept=", ".join(types),
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise refuse(
            415,
            "Content-Encoding",
            request.headers["content-encoding"],
            "must be identity",
            "Send the body as it is, not compressed.",
            Accept_Encoding="identity",
        )
    return kind


async def _read(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            if message.get("more_body", False):
                await discard(request, size)
            raise _too_long(size, most)
        if not message.get("more_body", False):
            return b"".join(parts)


async def discard(request: Request, size: int) -> None:
    """Reads on for a while without keeping anything: a client that is still sending would not see the answer. One that
    has stopped gets it at once."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while size <= MOST_DISCARDED:
                async with asyncio.timeout(QUIET_SECONDS):
                    message = await request.receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                size += len(message.get("body", b""))


def _too_long(size: int, most: int) -> RefusedError:
    return refuse(
        413,
        "body",
        f"over {size - 1} bytes" if size - 1 == most else f"at least {size} bytes",
        f"must have at most {most} bytes",
        "Send a shorter text, fewer numbers, or smaller weights.",
        Connection="close",
    )
