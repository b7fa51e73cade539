"""The load generator itself: it counts what comes, and calls broken what is broken."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable

import pytest

from tests.load.crowd import trickler
from tests.load.http import ADDRESS, Times
from tests.load.machine import Others, family, held
from tests.load.scenes import Scene, Seen, faults, scene_of, told
from tests.load.viewers import Viewer, Watched
from tests.load.wrk import Rate, read

WRK = """Running 8s test @ http://127.0.0.1:8000/healthz
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.10ms    2.00ms  31.00ms   92.43%
  Latency Distribution
     50%    3.10ms
     99%   12.50ms
  77270 requests in 8.01s, 49.4MB read
  Socket errors: connect 0, read 2, write 0, timeout 1
  Non-2xx or 3xx responses: 7
Requests/sec:   9646.70
Transfer/sec:      6.20MB
"""


def test_what_wrk_says_is_read() -> None:
    rate = read(WRK)
    assert rate == Rate(9646.7, 12.5, 10)
    assert read(WRK.replace("12.50ms", "1.25s")).p99 == 1250
    line, kept = rate.told("cheap", 9000, 20)
    assert not kept
    assert "BROKEN" in line
    assert Rate(9646.7, 12.5, 0).told("cheap", 9000, 20)[1]
    assert not Rate(9646.7, 12.5, 0).told("cheap", 10_000, 20)[1]
    assert not Rate(9646.7, 12.5, 0).told("cheap", 9000, 6)[1]


@pytest.mark.parametrize("size", [1, 3, 7, 50, 10_000])
def test_a_viewer_counts_events_however_they_are_cut(size: int) -> None:
    events = b"".join(b"event: point\ndata: {}\nid: %d\n\n" % n for n in range(5, 120))
    stream = b"HTTP/1.1 200 OK\r\n\r\n: Unrolled\nretry: 1000\n\n" + events

    async def counted() -> Viewer:
        viewer = Viewer("", "/", [])
        for start in range(0, len(stream), size):
            viewer.data_received(stream[start : start + size])
        return viewer

    viewer = asyncio.run(counted())
    assert (viewer.count, viewer.last) == (115, 119)


def seen(times: Times, **more: float) -> Seen:
    scene = Scene("a scene", {}, {"students": (0.99, 100.0)})
    return Seen(scene, {times.name: times}, **more)  # type: ignore[arg-type]


def noted(*answers: tuple[int, float, dict[str, str]]) -> Times:
    times = Times("students")
    for status, seconds, headers in answers:
        times.note(status, seconds, headers)
    return times


def test_a_promise_is_kept_or_broken() -> None:
    assert told(seen(noted((200, 0.05, {}))))[1]
    assert not told(seen(noted((200, 0.2, {}))))[1]
    assert told(seen(noted((200, 0.2, {}))), only_faults=True)[1]
    assert not told(seen(noted()), only_faults=True)[1]  # nobody was served
    assert not told(seen(noted((200, 0.05, {}), (500, 0.1, {}))), only_faults=True)[1]
    assert told(seen(noted((200, 0.05, {}), (503, 0.1, {"retry-after": "2"}))))[1]
    assert faults(noted((429, 0.1, {}))) == ["1 refusals without Retry-After"]


def test_a_slow_client_that_is_cut_off_is_no_fault() -> None:
    times = Times("slow")
    times.cut_off(b"HTTP/1.1 408 Refused\r\n", 10.0)
    times.cut_off(b"", 0.7)
    assert (times.statuses, times.closed, faults(times)) == ({408: 1}, 1, [])
    times.cut_off(b"", 0.1)
    times.cut_off(b"HTTP/1.1 200 OK\r\n", 2.0)
    assert len(faults(times)) == 2


def test_a_slow_client_that_is_let_be_is_a_broken_promise() -> None:
    times = Times("slow")
    assert told(seen(times))[1]
    times.slowest = 16.0
    assert not told(seen(times))[1]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 408 Refused\r\n\r\n", None])
def test_a_trickler_notes_how_it_was_cut_off(answer: bytes | None) -> None:
    """Also where a letter of its crosses the end on its way, which the system makes a reset of."""

    class Cutting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            asyncio.get_running_loop().call_later(0.6, self.cut, transport)

        def cut(self, transport: asyncio.Transport) -> None:
            if answer is None:
                held = transport.get_extra_info("socket")
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                transport.write(answer)
            transport.close()

    async def noted() -> Times:
        times = Times("slow")
        async with await asyncio.get_running_loop().create_server(Cutting, ADDRESS) as server:
            client = asyncio.create_task(trickler(server.sockets[0].getsockname()[1], times))
            await until(lambda: bool(times.seconds))
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)
        return times

    times = asyncio.run(noted())
    assert faults(times) == []
    assert (times.statuses[408], times.closed) == ((1, 0) if answer else (0, 1))
    assert 0.5 < times.seconds[0] < 30


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.05)


def test_streams_are_promised_too() -> None:
    times = noted((200, 0.05, {}))
    whole = Watched("run", None, events=99, expected=100, gaps=[0.1] * 100)  # type: ignore[arg-type]
    assert told(Seen(scene_of({}, 1), {"students": times}, whole))[1]
    whole.events = 97
    assert not told(Seen(scene_of({}, 1), {"students": times}, whole))[1]


def test_what_this_process_holds() -> None:
    here = held([os.getpid()])
    assert os.getpid() in family(os.getpid())
    assert here.processes == 1
    assert here.bytes > 10**6
    assert here.files >= 3
    assert 0 <= Others().share() <= 1
