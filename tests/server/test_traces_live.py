"""A real server and traces that come badly: cut off, too slow, at the same time; and what is left on its disk."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from tests.engine.false_traces import trace
from tests.server.live import Live, live, until

HEAD = "\r\n".join(("POST /api/v1/traces HTTP/1.1", "Host: localhost", "Content-Type: application/x-npz",
                    "Content-Length: {}", "", ""))


def begin(server: Live, declared: int, sent: bytes) -> socket.socket:
    """Returns a connection on which a part of a trace has been sent."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(HEAD.format(declared).encode() + sent)
    return connection


def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Returns the status and the JSON of the one answer on a connection."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += connection.recv(65536)
    head, _, body = found.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    length = int(lengths[0].split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1]), json.loads(body)


def test_a_sender_who_leaves_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with live(workers=1, light_workers=0) as server:
        connections = [begin(server, 10**8, bytes(2**21)) for _ in range(3)]
        until(lambda: sum(path.stat().st_size > 0 for path in tmp_path.glob("*.trace")) == 3)
        for connection in connections:
            connection.close()
        until(lambda: not list(tmp_path.glob("*.trace")))
        with begin(server, len(trace()), trace()) as connection:
            status, found = answer(connection)
        assert (status, found["agrees"]) == (200, True)
        assert not list(tmp_path.glob("*.trace"))
        server.stop()


def test_a_slow_sender_is_sent_away_and_others_are_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with live(workers=1, light_workers=0, traces_at_once=2, trace_seconds=2) as server:
        begun = time.monotonic()
        slow = begin(server, 1000, b"PK")
        with begin(server, len(trace()), trace()) as connection:
            assert answer(connection)[0] == 200
        status, found = answer(slow)
        slow.close()
        assert status == 408
        assert "within 2 s" in str(found["detail"])
        assert time.monotonic() - begun < 15
        assert not list(tmp_path.glob("*.trace"))
        server.stop()


def test_more_than_may_be_on_the_disk_are_asked_to_come_again() -> None:
    with live(workers=1, light_workers=0, traces_at_once=1, trace_seconds=30) as server:
        first = begin(server, len(trace()), trace()[:100])
        time.sleep(0.5)
        with begin(server, len(trace()), trace()) as second:
            status, found = answer(second)
        assert status == 503
        assert "1 traces are being read" in str(found["detail"])
        first.sendall(trace()[100:])
        assert answer(first)[0] == 200
        first.close()
        server.stop()
