"""What a run comes to: its view, read from the store, and its verdict."""

from __future__ import annotations

import asyncio

from engine.training import RunView
from server.encoding import encode_json
from server.store.rows import NewEvent
from server.store.writer import Writer
from server.training.runs import Run
from server.training.view import PAGE, ViewBuilder


async def view_of(writer: Writer, run: Run, status: str | None = None) -> RunView:
    """Returns a run's view, from everything that is stored of it; `status`: that it is about to have."""
    builder = ViewBuilder(run.lab)
    while events := await writer.events(run.id, builder.last, PAGE):
        await asyncio.to_thread(builder.take, events)
    return await asyncio.to_thread(builder.view, status or run.status)


async def verdict_event(writer: Writer, run: Run, status: str) -> NewEvent:
    """Returns the event that says what a run came to, which ends with this status."""
    view = await view_of(writer, run, status)
    return NewEvent("verdict", "", None, encode_json(view.verdict).decode())
