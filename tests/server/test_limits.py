"""What happens where a limit is reached that ordinary use does not come to, each by itself."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from engine import Config
from server import bodies, refusals, uploads, work
from server.fair import Fair, Tags
from server.guard import Guard
from server.problems import RefusedError, refuse
from server.queries import Query
from server.settings import Settings
from server.traces import receiving
from server.traces.reading import TraceFile, opened
from tests.engine.false_traces import trace


def request(parts: Sequence[bytes], pause: float = 0, **headers: str) -> Request:
    """Returns a request whose body comes in these parts, and whose client then leaves."""
    left = list(parts)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": sent, "query_string": b""}, receive)


def refused_body(given: Request, seconds: float = 5) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        asyncio.run(bodies.read_typed_body(given, [bodies.JSON], 10, seconds))
    return refused.value


def test_a_body_has_exactly_so_many_bytes() -> None:
    body = request([b"12345", b"67890"], content_type="application/json; charset=utf-8", content_length="10")
    assert asyncio.run(bodies.read_typed_body(body, [bodies.JSON], 10, 5)) == (bodies.JSON, b"1234567890")


@pytest.mark.parametrize(
    ("parts", "headers", "status", "said"),
    [
        ([b"12345678901"], {}, 413, "over 10 bytes"),
        ([b"123456789012", b"3", b"4"], {}, 413, "at least 12 bytes"),
        ([b"x"], {"content_length": "11"}, 413, "over 10 bytes"),
        ([b"x"], {"content_length": "+1"}, 400, "must be a number"),
        ([b"x"], {"content_length": "\u00b2"}, 400, "must be a number"),
        ([b"x"], {"content_type": "text/plain"}, 415, "must be application/json"),
        ([b"x"], {"content_encoding": "gzip"}, 415, "must be identity"),
    ],
)
def test_a_body_that_is_refused(parts: list[bytes], headers: dict[str, str], status: int, said: str) -> None:
    error = refused_body(request(parts, **{"content_type": bodies.JSON, **headers}))
    assert error.status == status
    assert said in str(error)


def test_a_body_that_does_not_arrive() -> None:
    error = refused_body(request([b"1", b"2"], pause=0.1, content_type=bodies.JSON), seconds=0.05)
    assert (error.status, error.headers["Connection"]) == (408, "close")


def test_a_client_that_leaves_gets_no_answer() -> None:
    with pytest.raises(ClientDisconnect):
        asyncio.run(bodies.read_typed_body(request([], content_type=bodies.JSON), [bodies.JSON], 10, 5))


def test_what_is_too_long_is_read_on_only_while_it_comes() -> None:
    parts = [b"1", b"2", b"3"]
    comes, pauses, enough = request(parts), request(parts, pause=2 * bodies.QUIET_SECONDS), request(parts)
    asyncio.run(bodies.discard(comes, 0))
    asyncio.run(asyncio.wait_for(bodies.discard(pauses, 0), 5 * bodies.QUIET_SECONDS))
    asyncio.run(bodies.discard(enough, bodies.MOST_DISCARDED + 1))
    assert asyncio.run(comes.receive())["type"] == "http.disconnect"  # all of it was read
    assert asyncio.run(pauses.receive())["body"] == asyncio.run(enough.receive())["body"] == b"1"


def test_a_trace_for_which_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def receive() -> None:
        async with receiving.received(request([]), Settings(), asyncio.Semaphore()):
            pass

    monkeypatch.setattr(receiving, "_made", full)
    with pytest.raises(RefusedError, match="no room left on its disk") as refused:
        asyncio.run(receive())
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "60")


def stored(tmp_path: Path, parts: Sequence[bytes], most: int = 2**22, seconds: float = 5, pause: float = 0) -> bytes:
    given = request(parts, pause, content_type="application/zip")
    settings = Settings(trace_bytes=most, trace_seconds=seconds)
    size = asyncio.run(receiving._stored(given, settings, tmp_path / "trace"))
    found = (tmp_path / "trace").read_bytes()
    assert len(found) == size
    return found


def test_a_trace_is_stored_piece_by_piece_and_has_exactly_so_many_bytes(tmp_path: Path) -> None:
    parts = [bytes([n]) * 400_000 for n in range(8)]  # a piece is full after three
    assert stored(tmp_path, parts, 3_200_000) == b"".join(parts)
    with pytest.raises(RefusedError, match="at most 3199999 bytes") as refused:
        stored(tmp_path, parts, 3_199_999)
    assert refused.value.status == 413


def test_a_trace_that_does_not_arrive(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="must arrive within 0"):
        stored(tmp_path, [b"PK", b"more"], seconds=0.1, pause=0.5)
    given = request([b"P"] * 20, 0.02, content_type="application/zip")
    with pytest.raises(RefusedError, match="must bring 131072 bytes every 0") as refused:
        asyncio.run(receiving._stored(given, Settings(body_seconds=0.1), tmp_path / "trace"))
    assert refused.value.status == 408
    given = request([], content_type="application/zip")  # its client leaves at once
    with pytest.raises(ClientDisconnect):
        asyncio.run(receiving._stored(given, Settings(), tmp_path / "trace"))


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.EFBIG, errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_while_a_trace_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    async def failing(*_: object) -> int:
        raise OSError(code, "it failed")

    monkeypatch.setattr(receiving, "_written", failing)
    with pytest.raises(OSError if code == errno.EIO else RefusedError):
        stored(tmp_path, [b"PK"])


def test_a_trace_on_the_disk_is_tested(tmp_path: Path) -> None:
    path = tmp_path / "x.trace"
    path.write_bytes(trace())
    assert opened(TraceFile(str(path), path.stat().st_size)).reach is not None


def test_first_bytes_tell_what_a_file_is() -> None:
    assert uploads.ending(b"PK\3\4") == ".npz"
    assert uploads.ending(b"\x80\2]q\0.") == ".pickle"
    assert uploads.ending(b"\x80" + bytes(7) + b"{") == uploads.ending(b"") == ".safetensors"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MemoryError(), 422, "needs more memory"),
        (refuse(400, "body", "-", "must be JSON", "Send JSON."), 400, "must be JSON"),
        (ZeroDivisionError("secret"), 500, "Internal"),
    ],
)
def test_a_computation_that_fails(monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str) -> None:
    def failing(_: work.Task) -> work.Answer:
        raise error

    monkeypatch.setattr(work, "compute", failing)
    answer = work.answer(work.Task(Query("analysis", Config())))
    assert answer.status == status
    assert said in answer.body.decode()
    assert "secret" not in answer.body.decode()


def test_an_answer_that_is_too_long() -> None:
    asked = work.Task(Query("analysis", Config(steps=4, hidden=2, lag=1), certificate=False), reply_bytes=10)
    answer = work.answer(asked)
    assert answer.status == 422
    assert json.loads(answer.body)["problems"][0]["limit"] == "must have at most 10 bytes"


def test_a_spoilt_question_is_refused_for_whole_seconds() -> None:
    assert [refusals.spoilt(left).headers["Retry-After"] for left in (0.2, 1.2, 30.0)] == ["1", "2", "30"]


def test_a_short_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="must have 32 characters"):
        Settings(secret="x" * 31)
    assert Settings(secret="x" * 32).secret.get_secret_value() == "x" * 32


def test_those_whom_time_has_overtaken_are_forgotten() -> None:
    tags = Tags()
    for number in range(600):
        tags.now = float(number)
        tags.took(f"{number}", number + 10.5)
    assert len(tags._finish) <= 512
    assert [tags.start(f"{number}") for number in (0, 588, 599)] == [599.0, 599.0, 609.5]


def test_those_who_are_ahead_of_time_are_known_however_many_they_are() -> None:
    tags = Tags()
    for number in range(512):
        tags.took(f"{number}", float(number))
    tags.now = 500.0
    assert len(tags._finish) == 512  # there is room, and nobody is looked at
    tags.took("one more", 600.0)
    assert list(tags._finish) == [*(f"{number}" for number in range(501, 512)), "one more"]


def test_what_nobody_awaits_is_taken_from_anywhere_in_the_queue() -> None:
    queue: Fair[str] = Fair()
    names = ["a", "b", "c"]
    for name in names:
        queue.add(name, "somebody", 1)
    queue.remove(names[2])
    queue.remove("not there")
    assert [queue.pop(), queue.pop(), queue.pop(), len(queue)] == ["a", "b", None, 0]


def test_what_is_no_request_is_handed_on() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    asyncio.run(Guard(app, Settings())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == [{"type": "lifespan"}]
