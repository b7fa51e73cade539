"""Where strangers share a server, a run at which nobody looks makes room for others; whoever looks keeps it going."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from engine.training import parse_lab
from server.settings import Settings
from server.training.attention import Attention
from server.training.runs import Run
from tests.server.live import Live
from tests.server.training_client import API, LONG, Visitor, served, within

SECRET = "a secret that both servers are told: 0123456789"


@pytest.fixture(scope="module")
def span() -> float:
    """Seconds that nobody may look."""
    return min(within(1.0), 4.0)  # each server looks four times a second


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, span: float) -> Iterator[list[Live]]:
    """Two servers on one data folder."""
    folder = tmp_path_factory.mktemp("data")
    with ExitStack() as both:
        yield [both.enter_context(served(folder, training_workers=1, secret=SECRET, training_unwatched_seconds=span))
               for _ in range(2)]  # fmt: skip


@pytest.fixture
def owner(servers: list[Live]) -> Visitor:
    somebody = Visitor(servers[0].port)
    somebody.ask("GET", "/train")
    return somebody


def status(owner: Visitor, id: str) -> str:
    """Returns how a run stands by the list of one's runs, which is no look at it."""
    return next(str(run["status"]) for run in owner.ask("GET", API).body if run["id"] == id)


def until(owner: Visitor, id: str, wanted: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while (found := status(owner, id)) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.1)


def test_a_run_is_paused_when_nobody_looks_and_goes_on_when_it_is_asked_to(owner: Visitor, span: float) -> None:
    id = owner.start(LONG)
    until(owner, id, "paused")
    run = owner.run(id)
    assert f"Nobody had looked at it for {span:g} s" in run["note"]
    assert run["tokens"] > 0
    assert owner.control(id, "resume").status == 200
    owner.until(id, "running")
    owner.trained(id, run["tokens"] + 1)
    owner.control(id, "stop")


@pytest.mark.parametrize("where", [0, 1], ids=["here", "at another server"])
def test_whoever_follows_it_keeps_it_going(owner: Visitor, servers: list[Live], where: int, span: float) -> None:
    id = owner.start(LONG)
    until(owner, id, "running")
    follower = replace(owner, port=servers[where].port)
    with follower.stream(id) as stream:
        reading = threading.Thread(target=lambda: [None for _ in stream], daemon=True)
        reading.start()
        time.sleep(2 * span)
        assert status(owner, id) == "running"
        owner.control(id, "stop")
        reading.join(30)


@pytest.mark.parametrize("where", [0, 1], ids=["here", "at another server"])
def test_whoever_asks_about_it_keeps_it_going(owner: Visitor, servers: list[Live], where: int, span: float) -> None:
    id = owner.start(LONG)
    until(owner, id, "running")
    asker = replace(owner, port=servers[where].port)
    end = time.monotonic() + 2 * span
    while time.monotonic() < end:
        asker.run(id)
        time.sleep(span / 10)
    assert status(owner, id) == "running"
    until(owner, id, "paused")


def test_the_strict_limits_have_it_and_a_machine_of_ones_own_does_not() -> None:
    assert Settings(public=True).training_unwatched_seconds == 60
    assert Settings().training_unwatched_seconds == 0


def test_the_estimate_says_it_before_a_run_is_started(owner: Visitor, span: float) -> None:
    assert owner.ask("POST", f"{API}/estimate", LONG).body["unwatched_seconds"] == span


def test_without_a_limit_nobody_is_noted_and_nothing_is_forsaken(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("server.training.attention.time.monotonic", lambda: now[0])
    run = a_run()
    attention = Attention(0.0)
    attention.ask("r")
    assert attention.forsaken([run], []) == []
    now[0] = 1e6
    assert (attention.forsaken([run], []), attention.asked) == ([], set())


def test_it_is_forsaken_once_in_a_span_counted_from_the_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("server.training.attention.time.monotonic", lambda: now[0])
    run = a_run()
    attention = Attention(60.0)
    seen = []
    for second in range(0, 300, 10):
        now[0] = float(second)
        if second in (50, 100):
            attention.ask("r")
        seen += [second for _ in attention.forsaken([run], ["r"] if second == 140 else [])]
    assert seen == [200, 260]
    run.status = "queued"
    now[0] = 1000.0
    assert attention.forsaken([run], []) == []
    run.status, now[0] = "running", 1001.0
    assert attention.forsaken([run], []) == [], "the time in the queue does not count"


def a_run() -> Run:
    run = Run("r", "ann", "", parse_lab(LONG), 0.0)
    run.status = "running"
    return run
