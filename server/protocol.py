"""Uvicorn's HTTP protocol, with the bounds that it lacks.

They are on the bytes and the time of a request's head, on how many heads may be awaited, on what stands around a body's
content and on how long a body may still come when it has been answered, and on how long a client may leave its answer
unread. What cannot be read is answered by a problem.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.errors import Problem
from server import problems
from server.guard import security_headers
from server.joining import Joining
from server.settings import Settings

MOST_HEAD = 65536  # bytes of a request line and headers that are read at all; the limits are lower
# In which no connection is closed for another: a class that comes at once sends its heads by then. Half a second is
# promised, and the loop's clock counts whole milliseconds.
GRACE_SECONDS = 0.502
MOST_AROUND = 16  # bytes around each byte of a body; around one byte in a chunk of its own stand five
MOST_BURST = 8  # but at most so many times the limit wait
DRAIN_BYTES = 16 * 2**20
DRAIN_SECONDS = 2.0


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `guarded(settings)` makes the class that knows a server's settings."""

    settings: Settings
    awaited: dict[GuardedProtocol, float]  # connections whose request's head is not complete, the oldest first; since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport: Any = Joining(transport, self.loop)
        self._drained: int | None = None
        self._head: int | None = None  # bytes of the head until now; None while no head is awaited
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._in_body = False  # from the end of a head to the end of its message
        self._spare = 0  # bytes that may come besides the body's content
        self._body_timer: asyncio.TimerHandle | None = None
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        self._body_came()
        self.resume_writing()
        super().connection_lost(exc)

    # ---- the head of a request

    def data_received(self, data: bytes) -> None:
        if self._drained is not None:
            self._drain(len(data))
            return
        if self._in_body:
            self._read_body(data)
            return
        if self._head is None:
            self._await_head()
        self._head = (self._head or 0) + len(data)
        super().data_received(data[:MOST_HEAD])
        rest = data[MOST_HEAD:]
        if self._head is not None and self._head > MOST_HEAD:
            self._too_long()
        elif rest and self._drained is None and not self.transport.is_closing():
            self.data_received(rest)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        if any(value.strip().lower() != b"chunked" for name, value in self.headers if name == b"transfer-encoding"):
            raise ValueError("a transfer coding that nobody here can undo")  # the parser then says that it cannot read
        if not self.url.startswith(b"/"):
            self._check_authority()
        super().on_headers_complete()  # which raises where the request line holds no path
        self._head_came()
        self._in_body, self._spare = True, MOST_HEAD
        self.headers = []  # what follows a body in chunks is none of its headers

    def _check_authority(self) -> None:
        """Raises ValueError where the request line names another host than the header, which is looked at later."""
        authority = self.url.partition(b"://")[2].partition(b"/")[0].lower()
        if authority and any(value.lower() != authority for name, value in self.headers if name == b"host"):
            raise ValueError("two hosts")  # the parser then says that it cannot read

    def _await_head(self) -> None:
        """Runs a timer from a connection's start, or from a later request's first byte; when too many heads are
        awaited, the connection that has waited longest is closed, if it has had the time to send one."""
        self._head = 0
        self._head_timer = self.loop.call_later(self.settings.header_seconds, self._head_late)
        self.awaited[self] = self.loop.time()
        while len(self.awaited) > self.settings.half_open:
            oldest, since = next(iter(self.awaited.items()))
            if self.loop.time() - since < GRACE_SECONDS and len(self.awaited) < MOST_BURST * self.settings.half_open:
                break
            oldest._head_came()
            oldest.transport.close()

    def _head_came(self) -> None:
        self._head = None
        self.awaited.pop(self, None)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        limit = f"must arrive within {self.settings.header_seconds:g} s"
        self._fail(408, Problem("headers", "incomplete", limit, "Send the request again."))

    def _too_long(self) -> None:
        if self.headers:
            most = f"must have at most {self.settings.header_bytes} bytes"
            self._fail(431, Problem("headers", f"over {MOST_HEAD} bytes", most, "Send fewer or shorter headers."))
        else:
            most, remedy = f"must have at most {self.settings.url_bytes} bytes", "Send a long text by POST, as JSON."
            self._fail(414, Problem("address", f"over {MOST_HEAD} bytes", most, remedy))

    # ---- the body of a request

    def _read_body(self, data: bytes) -> None:
        """Reads on in a body. What stands around its content (the sizes of chunks, extensions, trailers) is bounded."""
        self._spare -= len(data)
        super().data_received(data)
        if self._in_body and self._spare < 0:
            most = f"must have at most {MOST_HEAD} bytes around its content"
            self._fail(400, Problem("body", "more than that", most, "Send larger chunks, without extensions."))

    def on_body(self, body: bytes) -> None:
        self._spare = min(MOST_HEAD, self._spare + (1 + MOST_AROUND) * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_came()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Runs a timer when the body has been answered before its end: nobody waits for the rest."""
        super().on_response_complete()
        if self._in_body and self.cycle.response_complete:
            self._body_timer = self.loop.call_later(self.settings.body_seconds, self.transport.close)

    def _body_came(self) -> None:
        self._in_body = False
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    # ---- an answer that is not read

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.settings.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    # ---- what cannot be read

    def send_400_response(self, msg: str) -> None:
        """Answers what the parser could not read, in place of uvicorn's line of plain text."""
        if self._in_body:
            remedy = "Leave the length and the chunks to your HTTP library."
            self._fail(400, Problem("body", "-", "must be in chunks as HTTP/1.1 has them", remedy))
        else:
            self._fail(400, Problem("request", "-", "must be HTTP/1.1", "Check the request line and the headers."))

    def _fail(self, status: int, problem: Problem) -> None:
        """Sends a problem for what is being read, after all answers that are due before, and closes."""
        self._head_came()
        if self._in_body and (self.cycle.response_started or self.pipeline):
            if self.cycle.response_complete:
                self._end()
            else:
                self.transport.close()
            return
        if self._in_body:
            self.cycle.disconnected = True  # for whoever computes its answer
            self.cycle.message_event.set()
        elif self.cycle and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # its answer is the last one
            self._drained = 0
            return
        self._refuse(status, problem)

    def _refuse(self, status: int, problem: Problem) -> None:
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
        self._end()

    def _end(self) -> None:
        """Reads on for a while, so that the client gets to see its answer, and closes."""
        self._body_came()
        self._drained = 0
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(DRAIN_SECONDS, self.transport.close)

    def _drain(self, count: int) -> None:
        assert self._drained is not None
        self._drained += count
        if self._drained > DRAIN_BYTES:
            self.transport.close()


def guarded(settings: Settings) -> type[GuardedProtocol]:
    """Returns the protocol class of a server with these settings."""
    made: dict[str, Any] = {"settings": settings, "awaited": {}}
    return type("GuardedProtocol", (GuardedProtocol,), made)
