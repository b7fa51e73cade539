"""As little of HTTP/1.1 as a load generator needs: one connection, one request after the other, every time noted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

ADDRESS = "127.0.0.1"


@dataclass
class Times:
    """What one kind of client saw: seconds of the answers it wanted, and the statuses of all."""

    name: str
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def note(self, status: int, seconds: float, headers: dict[str, str]) -> None:
        self.statuses[status] += 1
        if status == 200:
            self.seconds.append(seconds)
        elif status in (429, 503) and "retry-after" not in headers:
            self.without_retry_after += 1

    def quantile(self, share: float) -> float:
        """Returns milliseconds; NaN where nothing was answered."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Connection:
    """A connection that is opened when it is needed, and again when the server has closed it."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.port, self.cookie = port, cookie
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Returns status, headers and body. Raises OSError or EOFError if the server closes in the middle."""
        fresh = self._streams is None
        try:
            return await self._ask(path)
        except (OSError, EOFError):
            self.close()
            if fresh:
                raise
            return await self._ask(path)  # a kept connection had been closed meanwhile

    async def timed(self, path: str, into: Times) -> None:
        """Asks, and notes what came of it."""
        begun = time.perf_counter()
        try:
            status, headers, _ = await self.get(path)
            into.note(status, time.perf_counter() - begun, headers)
        except (OSError, EOFError) as error:
            self.close()
            into.faults[type(error).__name__] += 1

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(ADDRESS, self.port)
        reader, writer = self._streams
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {ADDRESS}\r\n{cookie}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return int(head[0].split()[1]), headers, body
