"""A connection that sends in one piece what is written to it in one turn of the event loop. (leaf)

Uvicorn writes the head of an answer and its body one after the other, and the event loop would hand each to the system
at once. For a small answer that is most of the work.
"""

from __future__ import annotations

import asyncio
from typing import Any

AT_ONCE = 65536  # bytes: more does not wait for the turn's end, so that whoever writes much is held back in time


class Joining:
    """Stands in for a transport; all that is not about writing is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Has the data sent when this turn ends."""
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)
        self._size += len(data)
        if self._size > AT_ONCE:
            self._send()

    def close(self) -> None:
        """Closes the connection after what has been written."""
        self._send()
        self._transport.close()

    def write_eof(self) -> None:
        """Ends the connection's sending side after what has been written."""
        self._send()
        self._transport.write_eof()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _send(self) -> None:
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            if not self._transport.is_closing():  # a client may go away within the turn
                self._transport.writelines(parts)
