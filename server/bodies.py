"""Reads a request's JSON body: of the right type, not too long, and not too slow."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import ClientDisconnect, Request

from server.problems import RefusedError, refuse
from server.settings import Settings

MOST_DISCARDED = 16 * 2**20
DISCARD_SECONDS = 5.0


async def read_json_body(request: Request, settings: Settings) -> bytes:
    """Returns the body's bytes, or raises RefusedError (400, 408, 413, 415)."""
    _check_type(request)
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise refuse(400, "Content-Length", declared, "must be a number of bytes", "Leave it to your HTTP library.")
    try:
        async with asyncio.timeout(settings.body_seconds):
            body = await _read(request, settings.body_bytes)
    except TimeoutError:
        raise refuse(
            408,
            "body",
            "incomplete",
            f"must arrive within {settings.body_seconds:g} s",
            "Send the request again.",
            Connection="close",
        ) from None
    if not body:
        raise refuse(400, "body", "empty", "must be a JSON object", 'Send at least {"config": {}}.')
    return body


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise refuse(
            415,
            "Content-Type",
            kind or "none",
            "must be application/json",
            "Send the config as JSON, with this header.",
            Accept="application/json",
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
                await _discard(request, size)
            raise _too_long(size, most)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _discard(request: Request, size: int) -> None:
    """Reads on for a while without keeping anything: a client that is still sending would not see the answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while size <= MOST_DISCARDED:
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
