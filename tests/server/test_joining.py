"""What is written to a connection in one turn of the event loop is sent at once, and in order."""

from __future__ import annotations

import asyncio
from typing import Any

from server.joining import AT_ONCE, Joining


class Recorder:
    """A transport that keeps what it is told."""

    def __init__(self) -> None:
        self.sent: list[bytes | str] = []

    def writelines(self, parts: list[bytes]) -> None:
        self.sent.append(b"".join(parts))

    def write_eof(self) -> None:
        self.sent.append("eof")

    def close(self) -> None:
        self.sent.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.sent


def joining() -> tuple[Recorder, Any]:
    recorder = Recorder()
    return recorder, Joining(recorder, asyncio.get_running_loop())  # type: ignore[arg-type]


def test_head_and_body_go_in_one_piece() -> None:
    async def answer() -> list[bytes | str]:
        recorder, connection = joining()
        connection.write(b"head ")
        connection.write(b"body")
        assert recorder.sent == []
        await asyncio.sleep(0)
        connection.write(b"next")
        await asyncio.sleep(0)
        return recorder.sent

    assert asyncio.run(answer()) == [b"head body", b"next"]


def test_nothing_is_held_back_of_what_is_large() -> None:
    async def answer() -> list[bytes | str]:
        recorder, connection = joining()
        connection.write(b"head ")
        connection.write(b"x" * AT_ONCE)
        sent = list(recorder.sent)
        await asyncio.sleep(0)
        assert recorder.sent == sent
        return sent

    assert asyncio.run(answer()) == [b"head " + b"x" * AT_ONCE]


def test_a_connection_ends_after_what_was_written() -> None:
    async def answer() -> list[bytes | str]:
        recorder, connection = joining()
        connection.write(b"last")
        connection.write_eof()
        connection.write(b"more")
        connection.close()
        assert connection.is_closing()
        return recorder.sent

    assert asyncio.run(answer()) == [b"last", "eof", b"more", "closed"]


def test_a_client_that_has_gone_within_the_turn_is_sent_nothing() -> None:
    async def answer() -> list[bytes | str]:
        recorder, connection = joining()
        connection.write(b"head ")
        recorder.close()
        await asyncio.sleep(0)
        return recorder.sent

    assert asyncio.run(answer()) == ["closed"]
