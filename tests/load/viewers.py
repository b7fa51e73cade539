"""Those who watch a training run: how many of its events each gets, and how long nothing comes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.load.http import ADDRESS, PAUSES, Connection, quantile, request

TRAINING = "/api/v1/training"
# So few tokens that points come faster than reports, for as long as a scene lasts: a point is 1/256 of them wide.
LAB = {"task": "text", "hidden": 16, "batch": 8, "tokens": 250_000, "seeds": 10, "evaluations": 4,
       "strategies": [{"style": "window", "k": k, "value": value} for k in (5, 10, 20, 50)
                      for value in ("carry", "reset")]}  # fmt: skip
MARK = b"\nid: "
GRACE = 0.5  # seconds


@dataclass
class Watched:
    """A run, and what all its viewers saw."""

    run: str
    owner: Connection
    events: int = 0  # that came to all viewers together, of those that were expected
    expected: int = 0
    end: int = 0  # the last event that is expected
    gaps: list[float] = field(default_factory=list)  # seconds between two pieces that came
    ended: int = 0  # streams that the server ended
    again: int = 0  # connections that were closed before anything came, in the throng of the beginning, and made anew

    @classmethod
    async def started(cls, port: int) -> Watched:
        """Returns a run that goes on for some minutes."""
        owner = await Connection.of_visitor(port)
        status, _, body = await owner.post(TRAINING, LAB)
        if status != 201:
            raise RuntimeError(f"no run could be started: {status} {body[:200]!r}")
        return cls(json.loads(body)["id"], owner)

    async def close(self) -> None:
        """What has happened until now is expected; it has a moment to come."""
        self.end = await last_event(self.owner, self.run)
        await asyncio.sleep(GRACE)

    async def stop(self) -> None:
        """Ends the run."""
        await self.owner.post(f"{TRAINING}/{self.run}/control", {"action": "stop"})
        self.owner.close()

    @property
    def share(self) -> float:
        """The share of the events that came, between 0 and 1; NaN if there were none."""
        return self.events / self.expected if self.expected else float("nan")

    def gap(self, share: float) -> float:
        """Returns milliseconds between two pieces."""
        return quantile(self.gaps, share)


class Viewer(asyncio.Protocol):
    """One stream. It counts marks in the bytes, as lines would cost the generator more than the server."""

    def __init__(self, cookie: str, path: str, gaps: list[float]) -> None:
        self._request, self._gaps = request("GET", path, cookie), gaps
        self._tail = b""
        self._came = 0.0
        self.count = self.last = 0  # events, and the number of the last one
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self.begun.done():
            self.begun.set_result(None)
        whole = self._tail + data
        begun = whole.rfind(MARK)
        end = whole.find(b"\n", begun + 1)
        if begun < 0 or end < 0:
            self._tail = whole
            return
        now = time.perf_counter()
        if self._came:
            self._gaps.append(now - self._came)
        self._came, self.last = now, int(whole[begun + len(MARK) : end])
        self.count += whole.count(MARK)
        self._tail = whole[end:]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


async def view(port: int, watched: Watched) -> None:
    """Follows a run from now on, until it is cancelled; then tells how much of it came."""
    visitor = await Connection.of_visitor(port)
    after = await last_event(visitor, watched.run)
    visitor.close()
    path = f"{TRAINING}/{watched.run}/events?after={after}"
    transport, viewer = await _opened(port, lambda: Viewer(visitor.cookie, path, watched.gaps), watched)
    try:
        await viewer.lost
        watched.ended += 1
    finally:
        missing = viewer.last - after - viewer.count if viewer.count else 0
        watched.events += max(0, min(viewer.last, watched.end) - after - missing)
        watched.expected += max(0, watched.end - after)
        transport.close()


async def _opened(port: int, made: Callable[[], Viewer], watched: Watched) -> tuple[asyncio.BaseTransport, Viewer]:
    """Returns a stream on which something has come. One that was closed before that is opened again, as a browser does:
    in a throng of 1,500 that come at once a connection may be closed for another."""
    for pause in (*PAUSES, 0.0):
        transport, viewer = await asyncio.get_running_loop().create_connection(made, ADDRESS, port)
        try:
            await asyncio.wait({viewer.begun, viewer.lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not viewer.begun.done():
                transport.close()
        if viewer.begun.done():
            break
        watched.again += 1
        await asyncio.sleep(pause)
    return transport, viewer


async def last_event(connection: Connection, run: str) -> int:
    """Returns the number of a run's last event."""
    _, _, body = await connection.get(f"{TRAINING}/{run}")
    return int(json.loads(body)["last_event"])
