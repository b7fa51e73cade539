"""What may happen to a run: its processes killed, its server killed or stopped, its disk full, its limits reached."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.server.live import alive, until
from tests.server.training_client import API, LONG, TINY, Visitor, numbers, served, trainers, visitor, within

LAB = TINY | {"hidden": 16, "tokens": 60_000, "evaluations": 5, "batch": 8}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The numbers of a run that nothing happens to."""
    with served(tmp_path_factory.mktemp("calm")) as server:
        owner = visitor(server)
        return numbers(owner.events(owner.until(owner.start(LAB), "done")["id"]))


@pytest.mark.parametrize(("harm", "fate", "settings"), [
    (signal.SIGKILL, "ended unexpectedly", {}), (signal.SIGSTOP, "hung, and was ended", {"training_workers": 1})])
def test_a_process_that_is_killed_or_hangs_is_noticed_and_its_lanes_go_on(
        harm: signal.Signals, fate: str, settings: dict[str, Any], tmp_path: Path, expected: dict[str, Any]) -> None:
    with served(tmp_path, **settings) as server:
        owner = visitor(server)
        id = owner.start(LAB)
        owner.trained(id, 20_000)
        begun = time.monotonic()
        os.kill(trainers(server)[0], harm)
        until(lambda: any(event["event"] == "worker" for event in owner.events(id)), 10)
        assert time.monotonic() - begun < within(2)
        run = owner.until(id, "done")
        [lost] = [event["data"] for event in owner.events(id) if event["event"] == "worker"]
        assert (lost["status"], lost["resumed"]) == ("lost", True)
        assert lost["text"] == f"A training process {fate}; the run goes on from the last checkpoint."
        assert numbers(owner.events(id)) == expected
        assert run["verdict"]["headline"]


def test_a_run_that_loses_two_processes_waits_to_be_resumed(tmp_path: Path, expected: dict[str, Any]) -> None:
    with served(tmp_path) as server:
        owner = visitor(server)
        id = owner.start(LAB)
        for tokens in (10_000, 25_000):
            owner.trained(id, tokens)
            until(lambda: len(trainers(server)) > 0)
            os.kill(trainers(server)[0], signal.SIGKILL)
        run = owner.until(id, "interrupted")
        assert "resumed" in run["note"]
        assert owner.control(id, "resume").status == 200
        owner.until(id, "done")
        assert numbers(owner.events(id)) == expected


def test_a_server_that_is_killed_loses_nothing_that_was_shown(tmp_path: Path, expected: dict[str, Any]) -> None:
    """Killed again and again in the middle, resumed each time: the numbers are those of a calm run."""
    seen: list[dict[str, Any]] = []
    cookie = id = ""
    for round in range(3):
        with served(tmp_path) as server:
            owner = Visitor(server.port, cookie)
            if round == 0:
                id, cookie = owner.start(LAB), owner.cookie
            else:
                assert owner.run(id)["status"] == "interrupted"
                assert owner.events(id)[: len(seen)] == seen
                assert owner.control(id, "resume").status == 200
            with owner.stream(id, len(seen)) as stream:
                seen += stream.take(60)
                processes = trainers(server)
                server.process.kill()
                until(lambda: not any(map(alive, processes)), within(2))  # noqa: B023
    with served(tmp_path) as server:
        owner = Visitor(server.port, cookie)
        owner.control(id, "resume")
        owner.until(id, "done")
        events = owner.events(id)
        assert events[: len(seen)] == seen
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        assert numbers(events) == expected


def test_the_signal_to_stop_ends_all_streams_and_keeps_the_run(tmp_path: Path) -> None:
    with served(tmp_path, streams_per_client=20) as server:
        owner = visitor(server)
        id = owner.start(LONG)
        owner.trained(id, 2_000)
        processes = trainers(server)
        with ThreadPoolExecutor(10) as pool:
            opened = threading.Barrier(11)
            watching = [pool.submit(_last, owner, id, opened) for _ in range(10)]
            opened.wait(60)
            code, seconds, errors = server.stop()
            last = [each.result() for each in watching]
        assert (code, errors) == (0, "")
        assert seconds < within(2)
        assert not any(map(alive, processes))
        assert [event["data"]["status"] for event in last] == ["interrupted"] * 10
    with served(tmp_path) as server:
        again = Visitor(server.port, owner.cookie)
        assert again.run(id)["status"] == "interrupted"
        tokens = again.run(id)["tokens"]
        again.control(id, "resume")
        again.trained(id, tokens + 1_000)


def _last(owner: Visitor, id: str, opened: threading.Barrier) -> dict[str, Any]:
    """Returns the last event of a stream; the first one has come when the barrier is passed."""
    with owner.stream(id) as stream:
        events = iter(stream)
        last = next(events)
        opened.wait(60)
        return [last, *events][-1]


def test_a_disk_that_is_full_pauses_the_run(tmp_path: Path, expected: dict[str, Any]) -> None:
    """The server lives and says why; once there is space again, the run goes on as if nothing had been."""
    with served(tmp_path, disk_reserved_bytes=0) as server:
        owner = visitor(server)
        id = owner.start(LAB)
        owner.trained(id, 10_000)
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, hard))
        paused = owner.until(id, "paused")
        assert "full" in paused["note"]
        shown = owner.events(id)
        assert owner.ask("POST", API, TINY).status == 507
        assert owner.control(id, "resume").status == 507
        assert owner.ask("GET", "/healthz").status == 200
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert owner.control(id, "resume").status == 200
        owner.until(id, "done")
        events = owner.events(id)
        assert events[: len(shown)] == shown
        assert numbers(events) == expected


def test_a_database_that_is_locked_pauses_the_run(tmp_path: Path) -> None:
    with served(tmp_path, database_seconds=0.2) as server:
        owner = visitor(server)
        id = owner.start(LONG)
        owner.trained(id, 5_000)
        other = sqlite3.connect(tmp_path / "runs.sqlite3", isolation_level=None)
        with owner.stream(id, owner.run(id)["last_event"]) as stream:
            other.execute("BEGIN EXCLUSIVE")
            paused = owner.until(id, "paused")
            assert "locked" in paused["note"]
            problem = next(event for event in stream if event["event"] == "problem")
            assert problem["data"] == {"status": "paused", "note": paused["note"]}
            assert owner.ask("POST", API, TINY).status == 503
            other.execute("ROLLBACK")
        other.close()
        assert owner.control(id, "resume").status == 200
        owner.trained(id, paused["tokens"] + 5_000)


def test_a_stop_does_not_wait_for_a_database_that_is_locked(tmp_path: Path) -> None:
    """Those who watch are let go, and the run is found in the middle by the next server, with all that was shown."""
    with served(tmp_path) as server:
        owner = visitor(server)
        id = owner.start(LONG)
        owner.trained(id, 5_000)
        with closing(sqlite3.connect(tmp_path / "runs.sqlite3", isolation_level=None)) as other:
            with ThreadPoolExecutor(1) as pool, owner.stream(id) as stream:
                events = iter(stream)
                shown = [next(events) for _ in range(5)]
                other.execute("BEGIN EXCLUSIVE")
                rest = pool.submit(list, events)
                code, seconds, errors = server.stop()
                shown += rest.result(20)
            other.execute("ROLLBACK")
        assert code == 0
        assert seconds < within(2)
        assert "locked" in errors
        assert "Traceback" not in errors
    with served(tmp_path) as server:
        again = Visitor(server.port, owner.cookie)
        assert again.run(id)["status"] == "interrupted"
        kept = [event for event in shown if event["id"]]
        assert again.events(id)[: len(kept)] == kept
        assert again.control(id, "resume").status == 200
        again.trained(id, again.run(id)["tokens"] + 1_000)


def begun(folder: Path, lab: dict[str, Any]) -> tuple[str, str]:
    """Returns the id and the owner's cookie of a run that was begun, and paused by the end of its server."""
    with served(folder) as server:
        owner = visitor(server)
        id = owner.start(lab)
        owner.control(id, "pause")
        return id, owner.cookie


def test_a_run_that_computes_too_long_ends(tmp_path: Path) -> None:
    """A limit that it would have been refused for, had it been as low when it was started."""
    id, cookie = begun(tmp_path, LONG)
    with served(tmp_path, training_seconds=0.5) as server:
        owner = Visitor(server.port, cookie)
        assert owner.ask("POST", API, LONG).body["problems"][0]["field"] == "tokens"
        owner.control(id, "resume")
        run = owner.until(id, "failed")
        assert "0.5 s" in run["note"]
        assert run["tokens"] > 0
        assert run["verdict"] is not None


def test_a_lane_that_needs_too_much_memory_fails_and_says_so(tmp_path: Path) -> None:
    large = TINY | {"hidden": 384, "layers": 2, "batch": 16, "steps": 400, "tokens": 10_000}
    large |= {"strategies": [{"style": "full"}]}
    id, cookie = begun(tmp_path, large)
    with served(tmp_path, training_workers=1, training_process_bytes=2**29) as server:
        owner = Visitor(server.port, cookie)
        assert owner.ask("POST", API, large).body["problems"][0]["field"] == "hidden"
        owner.control(id, "resume")
        assert owner.until(id, "failed")["note"] == "No strategy could be trained."
        [ended] = [event["data"] for event in owner.events(id) if event["event"] == "lane"]
        assert ended["reason"] == "It needs more memory than a training process may have."
        owner.until(owner.start(), "done")


def test_idle_processes_end(tmp_path: Path) -> None:
    with served(tmp_path, training_idle_seconds=1) as server:
        owner = visitor(server)
        owner.until(owner.start(), "done")
        until(lambda: not trainers(server), 5)
        owner.until(owner.start(), "done")


def test_a_secret_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("")
    with served(tmp_path) as server:
        owner = visitor(server)
        owner.ask("GET", "/train")
        assert len((tmp_path / "secret").read_text()) == 64
        assert owner.run(owner.start())["own"] is True


