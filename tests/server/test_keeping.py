"""How long the server waits before it replaces a compute process: not at all, unless it has died of its start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from server.jobs import Jobs
from server.process import DeadError, Process
from server.settings import Settings

End = tuple[int, int, bool]  # how many jobs it was given and answered, and whether it was ended from here
NEVER: End | None = None
AT_ITS_FIRST_JOB, KILLED_FROM_HERE, OF_USE = (1, 0, False), (1, 0, True), (3, 2, False)


class Ended:
    """A child that is gone as soon as it is there."""

    pid = 1

    async def ended(self) -> None: ...
    async def end(self) -> None: ...
    def kill(self) -> None: ...


def pauses(ends: Sequence[End | None], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Returns the pauses after processes that end like this, one after the other."""
    coming, found = iter(ends), list[float]()

    async def start(*_: object) -> Process:
        for end in coming:
            if end is None:
                raise DeadError
            break
        else:
            raise asyncio.CancelledError
        child: Any = Ended()
        process = Process(child, light=False)
        process.asked, process.answered, killed = end
        if killed:
            process.kill()
        return process

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(Process, "start", start)
    # Of this module alone: whatever else sleeps in this process would not sleep any more, and do so without end.
    monkeypatch.setattr("server.jobs.asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": sleep}))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Jobs(Settings(workers=1))._keep(light=False))
    return found


def test_one_that_never_starts_is_tried_more_and_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses([NEVER] * 8, monkeypatch) == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0])


def test_one_that_was_ended_from_here_is_replaced_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty questions in a row that compute for ever, each the first of its process."""
    assert pauses([KILLED_FROM_HERE] * 20, monkeypatch) == []


def test_one_that_dies_at_its_first_job_is_soon_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses([AT_ITS_FIRST_JOB] * 5, monkeypatch) == pytest.approx([0.2, 0.4, 0.4, 0.4, 0.4])


def test_one_that_was_of_use_forgives_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses([NEVER, NEVER, OF_USE, NEVER], monkeypatch) == pytest.approx([0.2, 0.4, 0.2])
