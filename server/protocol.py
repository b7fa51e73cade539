"""Uvicorn's HTTP protocol, with the bounds that it lacks: a time for the headers, and problems for bad requests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.errors import Problem
from server import problems
from server.guard import security_headers
from server.settings import Settings

DRAIN_BYTES = 16 * 2**20
DRAIN_SECONDS = 2.0


class GuardedProtocol(H11Protocol):
    """One connection. `guarded(settings)` makes the class that knows a server's settings."""

    settings: Settings

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._drained: int | None = None
        self._header_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._watch_headers()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is sent to; one that reads nothing for long is cut off."""
        super().pause_writing()
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self.settings.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stall_timer()

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def data_received(self, data: bytes) -> None:
        if self._drained is not None:
            self._drain(len(data))
            return
        super().data_received(data)
        self._watch_headers()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def _watch_headers(self) -> None:
        """Runs a timer while a request's headers are awaited: from the first byte, or on a new connection."""
        begun = bool(self.conn.trailing_data[0]) or self.cycle is None
        if self.conn.their_state is not h11.IDLE or not begun:
            self._stop_timer()
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self.settings.header_seconds, self._headers_late)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_late(self) -> None:
        self._header_timer = None
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self._fail(
                408,
                Problem(
                    "headers",
                    "incomplete",
                    f"must arrive within {self.settings.header_seconds:g} s",
                    "Send the request again.",
                ),
            )

    def send_400_response(self, msg: str) -> None:
        """Answers what h11 could not read, in place of uvicorn's line of plain text."""
        waiting, _ = self.conn.trailing_data
        most = self.config.h11_max_incomplete_event_size or 0
        if len(waiting) <= most:
            self._fail(400, Problem("request", "-", "must be HTTP/1.1", "Check the request line and the headers."))
        elif b"\r\n" not in waiting:
            self._fail(
                414,
                Problem(
                    "address",
                    f"over {most} bytes",
                    f"must have at most {self.settings.url_bytes} bytes",
                    "Send a long text or series by POST, as JSON.",
                ),
            )
        else:
            self._fail(
                431,
                Problem(
                    "headers",
                    f"over {most} bytes",
                    f"must have at most {self.settings.header_bytes} bytes",
                    "Send fewer or shorter headers.",
                ),
            )

    def _fail(self, status: int, problem: Problem) -> None:
        """Sends a problem, then reads on for a while, so that the client gets to see it, and closes."""
        self._stop_timer()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE) or (
            self.cycle and not self.cycle.response_complete
        ):
            self.transport.close()
            return
        body = problems.encode(status, [problem])
        head: Mapping[str, str] = {
            **security_headers(self.settings),
            "content-type": problems.MEDIA_TYPE,
            "cache-control": "no-store",
            "content-length": str(len(body)),
            "connection": "close",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.transport.write(f"HTTP/1.1 {status} Refused\r\n{lines}\r\n".encode() + body)
        self._drained = 0
        self.transport.write_eof()
        self.transport.resume_reading()
        self.loop.call_later(DRAIN_SECONDS, self.transport.close)

    def _drain(self, count: int) -> None:
        assert self._drained is not None
        self._drained += count
        if self._drained > DRAIN_BYTES:
            self.transport.close()


def guarded(settings: Settings) -> type[GuardedProtocol]:
    """Returns the protocol class of a server with these settings."""
    return type("GuardedProtocol", (GuardedProtocol,), {"settings": settings})
