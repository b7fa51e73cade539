"""As little of HTTP/1.1 as a load generator needs: one connection, one request after the other, every time noted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

ADDRESS = "127.0.0.1"
SOONEST_END = 0.5  # seconds that a client has for its request's head before it may be closed for another
PAUSES = (0.2, 0.4, 0.8, 1.6)  # seconds between two tries


@dataclass
class Times:
    """What one kind of client saw: seconds of the answers it wanted, and the statuses of all."""

    name: str
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0  # seconds, of any answer, and of a request that was not answered at the end
    without_retry_after: int = 0
    closed: int = 0  # connections that the server ended without an answer: slow ones, for others' sake
    faults: Counter[str] = field(default_factory=Counter)

    def note(self, status: int, seconds: float, headers: dict[str, str]) -> None:
        self.statuses[status] += 1
        self.slowest = max(self.slowest, seconds)
        if status == 200:
            self.seconds.append(seconds)
        elif status in (429, 503) and "retry-after" not in headers:
            self.without_retry_after += 1

    def cut_off(self, told: bytes, seconds: float) -> None:
        """Notes a connection that the server has ended before its request was whole, after so many seconds."""
        self.seconds.append(seconds)
        if told.startswith(b"HTTP/1.1 408 "):
            self.statuses[408] += 1
        elif told:
            self.faults[f"a slow request answered by {told[:12].decode('latin-1')!r}"] += 1
        elif seconds < SOONEST_END:
            self.faults[f"closed within {SOONEST_END:g} s"] += 1
        else:
            self.closed += 1

    def quantile(self, share: float) -> float:
        """Returns milliseconds; NaN where nothing was answered."""
        return quantile(self.seconds, share)

    def clear(self) -> None:
        """Forgets everything until now."""
        self.__init__(self.name)  # type: ignore[misc]


def quantile(seconds: list[float], share: float) -> float:
    """Returns milliseconds; NaN of nothing."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Connection:
    """A connection that is opened when it is needed, and again when the server has closed it."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.port, self.cookie = port, cookie
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @classmethod
    async def of_visitor(cls, port: int) -> Connection:
        """Returns the connection of somebody who has opened the page, and has a cookie from it."""
        made = cls(port)
        _, headers, _ = await made.get("/")
        made.cookie = headers.get("set-cookie", "").partition(";")[0]
        return made

    async def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Returns status, headers and body. Raises OSError or EOFError if the server closes in the middle again and
        again: in a throng of 1,500 that come at once a connection may be closed for another, as browsers know."""
        return await self._patiently("GET", path)

    async def post(self, path: str, value: Any) -> tuple[int, dict[str, str], bytes]:
        """The same for a JSON value that is sent."""
        return await self._patiently("POST", path, json.dumps(value).encode())

    async def timed(self, path: str, into: Times) -> None:
        """Asks, and notes what came of it; not patiently."""
        begun = time.perf_counter()
        try:
            status, headers, _ = await self._again("GET", path)
            into.note(status, time.perf_counter() - begun, headers)
        except (OSError, EOFError) as error:
            self.close()
            into.faults[type(error).__name__] += 1
        except asyncio.CancelledError:
            into.slowest = max(into.slowest, time.perf_counter() - begun)
            raise

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _patiently(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        for pause in PAUSES:
            try:
                return await self._again(method, path, body)
            except (OSError, EOFError):
                await asyncio.sleep(pause)
        return await self._again(method, path, body)

    async def _again(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        fresh = self._streams is None
        try:
            return await self._ask(method, path, body)
        except (OSError, EOFError):
            self.close()
            if fresh:
                raise
            return await self._ask(method, path, body)  # a kept connection had been closed meanwhile

    async def _ask(self, method: str, path: str, sent: bytes) -> tuple[int, dict[str, str], bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(ADDRESS, self.port)
        reader, writer = self._streams
        writer.write(request(method, path, self.cookie, sent))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return int(head[0].split()[1]), headers, body


def request(method: str, path: str, cookie: str = "", body: bytes = b"") -> bytes:
    """Returns the bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {ADDRESS}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body
