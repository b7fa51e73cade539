"""A run's events as a stream: nothing missed, nothing twice, nobody who is in the way."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.live import Live, until
from tests.server.training_client import API, LONG, TINY, Visitor, served, visitor


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder: Path = tmp_path_factory.mktemp("streams")
    with served(folder, heartbeat_seconds=0.2, streams_per_client=3, streams=5,
              stalled_seconds=1, training_per_visitor=2) as running:  # fmt: skip
        yield running


@pytest.fixture(scope="module")
def owner(server: Live) -> Visitor:
    somebody = visitor(server)
    somebody.ask("GET", "/train")
    return somebody


@pytest.fixture
def going(owner: Visitor) -> Iterator[str]:
    """A run that goes on for as long as the test takes."""
    id = owner.start(LONG)
    yield id
    owner.control(id, "stop")


def test_a_stream_has_every_event_and_ends_after_the_last(owner: Visitor) -> None:
    id = owner.start()
    with owner.stream(id) as stream:
        assert stream.status == 200
        assert stream.answer.getheader("content-type", "").startswith("text/event-stream")
        seen = list(stream)
    assert seen == owner.events(id)
    assert seen[-1]["data"]["status"] == "done"


def test_a_reconnection_misses_nothing_and_repeats_nothing(owner: Visitor, going: str) -> None:
    """Again and again, by the header and by the query, at whatever event it was cut."""
    seen = []
    for count in (1, 2, 7, 30, 1, 90):
        last = seen[-1]["id"] if seen else 0
        header = {"Last-Event-ID": str(last)} if count % 2 else {}
        with owner.stream(going, 0 if header else last, **header) as stream:
            seen += stream.take(count)
    owner.control(going, "stop")
    with owner.stream(going, seen[-1]["id"]) as stream:
        seen += list(stream)
    assert [event["id"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen == owner.events(going)


def test_two_tabs_see_the_same(owner: Visitor, going: str) -> None:
    with owner.stream(going) as first, owner.stream(going) as second:
        pairs = list(itertools.islice(zip(first, second, strict=False), 60))
        owner.control(going, "pause")
        owner.control(going, "stop")
        assert list(first) == list(second)
    assert len(pairs) == 60
    assert all(one == other for one, other in pairs)


def test_a_stranger_may_watch(server: Live, going: str) -> None:
    stranger = visitor(server)
    with stranger.stream(going) as stream:
        assert stream.take(3)[0]["event"] == "state"
    assert stranger.run(going)["own"] is False


def test_whoever_has_all_of_a_run_that_ended_need_not_come_again(owner: Visitor) -> None:
    id = owner.start()
    last = owner.until(id, "done")["last_event"]
    answer = owner.ask("GET", f"{API}/{id}/events", **{"Last-Event-ID": str(last)})
    assert (answer.status, answer.body) == (204, b"")
    with owner.stream(id, last - 2) as stream:
        assert [event["id"] for event in stream] == [last - 1, last]


def test_a_stream_says_that_it_lives_while_nothing_happens(owner: Visitor, going: str) -> None:
    owner.control(going, "pause")
    last = owner.run(going)["last_event"]
    with owner.stream(going, last) as stream:
        lines = [stream.answer.readline() for _ in range(9)]
    assert lines.count(b": ping\n") >= 2


def test_streams_are_bounded_for_each_and_in_all(server: Live, owner: Visitor, going: str) -> None:
    others = [visitor(server) for _ in range(2)]
    for other in others:
        other.ask("GET", "/train")
    with owner.stream(going) as a, owner.stream(going) as b, owner.stream(going) as c:
        assert [stream.status for stream in (a, b, c)] == [200] * 3
        refused = owner.ask("GET", f"{API}/{going}/events")
        assert refused.status == 429
        assert 5 <= int(refused.headers["retry-after"]) <= 8  # not the same for everybody
        with others[0].stream(going) as d, others[1].stream(going) as e:
            assert (d.status, e.status) == (200, 200)
            assert others[1].ask("GET", f"{API}/{going}/events").status == 503
    until(lambda: owner.ask("HEAD", f"{API}/{going}/events").status == 200, 5)


def test_a_place_that_is_no_number(owner: Visitor, going: str) -> None:
    refused = (("?after=-1", {}), ("?after=1e9", {}), (f"?after={10**15}", {}), ("", {"Last-Event-ID": "last"}))
    for path, headers in refused:
        answer = owner.ask("GET", f"{API}/{going}/events{path}", **headers)
        assert answer.status == 422
        assert answer.body["problems"][0]["limit"] == "must be a whole number from 0 to 999999999999999"
    assert owner.ask("GET", f"{API}/{going}/points?after={10**15 - 1}").body["events"] == []


def test_a_viewer_that_does_not_read_is_dropped_and_in_nobodys_way(owner: Visitor) -> None:
    """It is sent the events of a run over and over until the system's buffers are full; then it is cut off."""
    id = owner.start(TINY, evaluations=50)
    owner.until(id, "done")
    request = f"GET {API}/{id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        lazy.connect(("127.0.0.1", owner.port))
        lazy.sendall(request * 240)
        begun = time.monotonic()
        while _alive(lazy):
            assert time.monotonic() - begun < 15
            time.sleep(0.1)
    assert owner.ask("GET", "/healthz").status == 200
    with owner.stream(id) as stream:
        assert len(list(stream)) == owner.run(id)["last_event"]


def _alive(connection: socket.socket) -> bool:
    """Returns whether a connection still stands, without reading from it."""
    try:
        connection.sendall(b" ")
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def test_json_instead_of_a_stream(owner: Visitor, going: str) -> None:
    owner.trained(going, 10_000)
    connection = http.client.HTTPConnection("127.0.0.1", owner.port, timeout=10)
    connection.request("GET", f"{API}/{going}/points?after=3")
    page = json.load(connection.getresponse())
    connection.close()
    assert page["status"] == "running"
    assert page["events"][0]["id"] == 4
    assert page["last"] == page["events"][-1]["id"]
