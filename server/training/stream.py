"""A run's events as a stream: what is stored first, then what comes; each once, in order, with its id."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from functools import lru_cache

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from server.store.rows import Event
from server.store.writer import Writer
from server.training.messages import RESTING
from server.training.runs import Run
from server.training.watching import Viewer

PAGE = 1000
RETRY_MS = 1000  # after which a browser comes again


class EventStream(EventSourceResponse):
    """FastAPI's stream of events; `leave` is called when it has ended, for whatever reason."""

    def __init__(self, content: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(content, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


async def follow(writer: Writer, run: Run, viewer: Viewer, after: int, heartbeat: float) -> AsyncIterator[bytes]:
    """Yields every event after `after`, until nothing more can come."""
    yield format_sse_event(retry=RETRY_MS, comment="Unrolled")
    status, last = run.status, after
    while page := await writer.events(run.id, last, PAGE):
        status, last = _status(page, status), page[-1].id
        yield b"".join(map(encode, page))
    while status not in RESTING or last < run.last:
        try:
            events = await viewer.get(heartbeat)
        except TimeoutError:
            yield KEEPALIVE_COMMENT
            continue
        if not events:  # the server stops, or this viewer was too slow: it comes again
            return
        new = [event for event in events if event.id == 0 or event.id > last]
        status, last = _status(new, status), max([last, *(event.id for event in new)])
        if new:
            yield b"".join(map(encode, new))


@lru_cache(4096)
def encode(event: Event) -> bytes:
    """Returns an event as it is sent, the same to everybody. One that could not be stored has no id."""
    return format_sse_event(data_str=event.data_json, event=event.kind, id=str(event.id) if event.id else None)


def _status(events: Iterable[Event], status: str) -> str:
    for event in events:
        if event.kind == "state":
            status = json.loads(event.data_json)["status"]
    return status
