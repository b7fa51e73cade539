"""A run's events as a stream: what is stored first, then what comes; each once, in order, with its id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from server.training.messages import RESTING
from server.training.runs import Run
from server.training.stored import PAGE, Stored
from server.training.watching import Viewer

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


async def follow(stored: Stored, run: Run, viewer: Viewer, after: int, heartbeat: float) -> AsyncIterator[bytes]:
    """Yields every event after `after`, until nothing more can come."""
    yield format_sse_event(retry=RETRY_MS, comment="Unrolled")
    status, last = run.status, after
    whole = True
    while whole:
        page = await stored.page(run.id, last)
        whole, new = len(page) == PAGE, page.after(last)
        if new:
            status, last = new.status or status, new.last
            yield new.encoded
    del page, new  # while the run goes on, its viewers hold nothing of its past
    while status not in RESTING or last < run.last:
        try:
            batch = await viewer.get(heartbeat)
        except TimeoutError:
            yield KEEPALIVE_COMMENT
            continue
        if batch is None:  # the server stops, or this viewer was too slow: it comes again
            return
        if new := batch.after(last):
            status, last = new.status or status, max(last, new.last)
            yield new.encoded
