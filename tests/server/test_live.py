"""The server as a process: hostile connections, load, signals, an end that leaves nothing behind."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.server.live import SLOW, Live, alive, live, until
from tests.server.training_client import within

SMALL = "/api/v1/analysis?steps=12&hidden=4&batch=2"


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(workers=1, light_workers=1, header_seconds=0.5, body_seconds=0.5, cancel_seconds=0) as running:
        yield running


def post(length: int) -> bytes:
    """Returns the head of a POST with a body of that length."""
    lines = ["POST /api/v1/analysis HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def test_a_query_of_a_megabyte(server: Live) -> None:
    status, body = server.get(f"{SMALL}&text={'a' * 1_000_000}")
    assert (status, body["problems"][0]["field"]) == (414, "address")


def test_headers_of_a_megabyte(server: Live) -> None:
    answer = server.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"field":"headers"' in answer


@pytest.mark.parametrize("request_line", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_http(server: Live, request_line: bytes) -> None:
    answer = server.send(request_line + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer
    assert b"content-security-policy" in answer


def test_a_request_without_a_host(server: Live) -> None:
    assert b"400" in server.send(b"GET / HTTP/1.0\r\n\r\n").split(b"\r\n")[0]


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_headers_that_do_not_come(server: Live, begun: bytes) -> None:
    begin = time.monotonic()
    answer = server.send(begun)
    assert time.monotonic() - begin < 3
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_headers_that_do_not_come_a_second_time(server: Live) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = server.send(whole + b"GET /healthz HT")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_a_body_that_does_not_come(server: Live) -> None:
    begin = time.monotonic()
    assert server.send(post(100) + b"{").startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begin < 3


def test_a_body_of_ten_megabytes_gets_its_answer(server: Live) -> None:
    body = b"[" + b"1," * 5_000_000 + b"1]"
    answer = server.send(post(len(body)) + body)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"field":"body"' in answer


def test_a_client_that_leaves_frees_its_process(server: Live) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"GET {SLOW} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(0.3)
    begin = time.monotonic()
    status, _ = server.get(SMALL + "&seed=99")
    assert status == 200
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("again", range(3))
def test_processes_that_are_killed_are_replaced(server: Live, again: int) -> None:
    before = server.children()
    for process in before:
        os.kill(process, signal.SIGKILL)
    assert server.get(f"{SMALL}&seed={90 + again}")[0] == 200
    assert not set(before) & set(server.children())


def test_a_small_answer_on_a_kept_connection_does_not_wait_for_the_network(server: Live) -> None:
    """Without TCP_NODELAY the body waits 40 ms for the client's acknowledgement of the head."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        times.append(1000 * (time.perf_counter() - begin))
    connection.close()
    assert statistics.median(times) < 20


def test_healthz_answers_at_once_while_analyses_run(server: Live) -> None:
    with live(workers=2, light_workers=0, queue_seconds=600, heavy_queue_seconds=3600) as busy:
        done: list[int] = []
        work = "/api/v1/analysis?steps=600&hidden=32&batch=2&seed={}"
        threads = [
            threading.Thread(target=lambda k=k: done.append(busy.get(work.format(k), 60)[0])) for k in range(8)
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        times = []
        while any(thread.is_alive() for thread in threads):
            begin = time.perf_counter()
            assert busy.get("/healthz")[0] == 200
            times.append(1000 * (time.perf_counter() - begin))
            time.sleep(0.02)
        assert done == [200] * 8
        assert len(times) >= 10
        assert statistics.median(times) < 50, f"{max(times):.0f} ms at most"


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_clean(sig: signal.Signals) -> None:
    """Also in the middle of an analysis, whose client is told."""
    with live(workers=1, light_workers=1) as running:
        children, said = running.children(), []
        client = threading.Thread(target=lambda: said.append(running.get(SLOW)))
        client.start()
        time.sleep(0.5)
        code, seconds, errors = running.stop(sig)
        client.join()
        assert (code, errors) == (0, "")
        assert seconds < within(2)
        assert said[0][0] == 503
        assert not any(map(alive, children))


def cut_off(running: Live) -> None:
    with pytest.raises(OSError, match=r"reset|closed|remote|Remote"):
        running.get(SLOW)


def test_nothing_outlives_a_server_that_is_killed() -> None:
    with live(workers=2, light_workers=1) as running:
        children = running.children()
        assert len(children) >= 2
        busy = threading.Thread(target=cut_off, args=(running,))
        busy.start()
        time.sleep(0.3)
        running.process.kill()
        until(lambda: not any(map(alive, children)), 2)
        busy.join()


def test_a_port_that_is_taken_is_said_in_one_line(server: Live) -> None:
    command = [sys.executable, "-m", "server", "--no-open", "--port", str(server.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f":{server.port}" in done.stderr
    assert "--port" in done.stderr
