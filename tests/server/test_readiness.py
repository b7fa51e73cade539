"""What /readyz says beside that it is ready: each thing by itself, soon, and once for all who ask."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from fastapi.testclient import TestClient

from server.jobs import Jobs
from server.readiness import FINE, KEPT_SECONDS, LONGEST_LOOK, Readiness
from server.settings import Settings
from server.store import Writer, open_store
from tests.server.training_client import within


def looked(settings: Settings, times: int = 1) -> list[dict[str, str]]:
    """Returns what is seen of a server with these settings, and no compute process."""

    async def scenario() -> list[dict[str, str]]:
        jobs, writer = Jobs(settings), Writer(lambda: open_store(settings))
        readiness = Readiness(jobs, writer)
        found = await asyncio.gather(*(readiness.look() for _ in range(times)))
        assert len(jobs.admission) == 1  # one look for all
        await readiness.stop()
        assert len(jobs.admission) == 0
        await writer.close()
        return found

    return asyncio.run(scenario())


def test_a_server_that_can_do_everything_says_so(client: TestClient) -> None:
    client.get("/api/v1/analysis?steps=4&hidden=2&batch=1")
    found = client.get("/readyz").json()
    assert [found[name] for name in ("status", "compute", "database", "disk")] == ["ready", FINE, FINE, FINE]


def test_each_thing_is_told_by_itself(tmp_path: Path) -> None:
    full = looked(Settings(data=str(tmp_path / "a"), disk_reserved_bytes=2**40))[0]
    assert full["compute"] == f"no answer within {LONGEST_LOOK:g} s"
    assert full["database"] == FINE
    assert "bytes left" in full["disk"]
    (tmp_path / "file").write_text("")
    gone = looked(Settings(data=str(tmp_path / "file" / "b")))[0]
    assert gone["database"] != FINE
    assert str(tmp_path) not in str(gone)


def test_a_look_that_is_late_is_not_waited_for_again(tmp_path: Path) -> None:
    """Nobody answers in a second; from then on that is known, while the others are looked at anew."""

    async def scenario() -> None:
        settings = Settings(data=str(tmp_path))
        jobs, writer = Jobs(settings), Writer(lambda: open_store(settings))
        readiness = Readiness(jobs, writer)
        first = await readiness.look()
        begun = time.monotonic()
        assert await readiness.look() == first
        assert time.monotonic() - begun < LONGEST_LOOK
        assert [value == FINE for value in first.values()] == [False, True, True]
        await readiness.stop()
        await writer.close()

    asyncio.run(scenario())


def test_many_who_ask_are_answered_by_one_look(tmp_path: Path) -> None:
    begun = time.monotonic()
    found = looked(Settings(data=str(tmp_path)), 100)
    assert time.monotonic() - begun < within(LONGEST_LOOK + KEPT_SECONDS)
    assert len({str(each) for each in found}) == 1
