"""What a connection does at a moment that no client can choose."""

from __future__ import annotations

import asyncio
import socket

from uvicorn import Config
from uvicorn.server import ServerState

from server.app import create_app
from server.protocol import guarded
from server.settings import Settings
from tests.server.test_jobs import run


def test_a_head_that_is_late_on_a_connection_that_is_being_closed_gets_no_answer() -> None:
    """The server stops, and closes it, in the same turn of the event loop in which its time is up."""

    async def scenario() -> None:
        loop, kind = asyncio.get_running_loop(), guarded(Settings())
        ours, theirs = socket.socketpair()
        with theirs:
            config = Config(create_app(), http=kind, log_config=None)
            _, protocol = await loop.connect_accepted_socket(lambda: kind(config, ServerState(), {}), ours)
            assert list(kind.awaited) == [protocol]
            protocol.shutdown()
            protocol._head_late()
            theirs.setblocking(False)
            assert await loop.sock_recv(theirs, 1000) == b""
            assert kind.awaited == {}

    run(scenario())
