"""Clients that send slowly, or nothing, or do not read: each is closed in time, and the others do not notice."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from server.protocol import GRACE_SECONDS
from tests.server.live import Live, live
from tests.server.training_client import within

LARGE = "/api/v1/analysis?steps=400&hidden=4&batch=1&include=credit,figures"  # some megabytes of JSON
HALF_OPEN = 16
STALLED = within(0.5)  # seconds in which a client that reads may get no core to do so


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(workers=1, light_workers=0, half_open=HALF_OPEN, header_seconds=2, stalled_seconds=STALLED) as running:
        yield running


def connect(server: Live) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def closed(connection: socket.socket) -> bool:
    """Returns whether the server has closed a connection on which nothing was sent."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_the_oldest_of_too_many_silent_connections_are_closed(server: Live) -> None:
    with ExitStack() as open_ones:
        silent = [open_ones.enter_context(connect(server)) for _ in range(4 * HALF_OPEN)]
        assert not any(closed(connection) for connection in silent)  # they have had no time yet
        time.sleep(2 * GRACE_SECONDS)
        for _ in range(10):
            begun = time.monotonic()
            assert server.get("/healthz")[0] == 200
            assert time.monotonic() - begun < 1
        assert all(closed(connection) for connection in silent[: 2 * HALF_OPEN])
        assert not any(closed(connection) for connection in silent[-HALF_OPEN // 2 :])


def test_heads_that_came_while_the_server_could_not_read_are_read_before_anybody_is_closed(server: Live) -> None:
    with ExitStack() as open_ones:
        waiting = [open_ones.enter_context(connect(server)) for _ in range(HALF_OPEN)]
        assert server.get("/healthz")[0] == 200  # all of them have been taken by now
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            late = [open_ones.enter_context(connect(server)) for _ in range(4)]
            for connection in [*waiting, *late]:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(1.5 * GRACE_SECONDS)
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        assert all(connection.recv(100).startswith(b"HTTP/1.1 200 ") for connection in [*waiting, *late])


def test_a_head_that_trickles_in_has_no_more_time_than_another(server: Live) -> None:
    with connect(server) as connection:
        connection.settimeout(0.1)
        begun, answer = time.monotonic(), b""
        for letter in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200:
            connection.sendall(bytes([letter]))
            try:
                answer = connection.recv(100)
                break
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert 1.5 < time.monotonic() - begun < 4


def test_a_client_that_does_not_read_its_answer_is_cut_off(server: Live) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = connection.recv(1000)
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        time.sleep(4 * STALLED)
        got = len(head)
        try:
            while part := connection.recv(65536):
                got += len(part)
        except ConnectionResetError:
            pass
        assert got < length
    assert server.get("/healthz")[0] == 200


def test_a_client_that_reads_slowly_but_steadily_gets_it_all(server: Live) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
            time.sleep(0.005)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert len(body) == int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
