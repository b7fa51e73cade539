"""Visitors who do not know each other: nobody finds, steers or deletes another's run, and no name can be guessed."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from math import log2
from pathlib import Path

import pytest

from server.store.rows import RUN_ID
from server.visitors import COOKIE
from tests.server.live import Live
from tests.server.training_client import API, LONG, TINY, Visitor, served

VISITORS = 6


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder: Path = tmp_path_factory.mktemp("runs")
    with served(folder, training_per_visitor=1, training_waiting_per_visitor=8) as found:
        yield found


@pytest.fixture(scope="module")
def people(server: Live) -> list[tuple[Visitor, str]]:
    """Visitors, each with a run of theirs that goes on or waits."""
    found = []
    for n in range(VISITORS):
        visitor = Visitor(server.port)
        found.append((visitor, visitor.start(LONG | {"seed": n})))
    return found


def forged(cookie: str) -> list[str]:
    """Cookies made from somebody else's: no signature, another's, one of nothing, a cut one, a changed name."""
    name, value = cookie.split("=", 1)
    content, signature = value.rsplit(".", 1)
    return [f"{name}={content}", f"{name}={content}.", f"{name}={content}.{signature[:-1]}", f"{name}=.{signature}",
            f"{name}={'0' * 32}.{signature}", f"{name}={content[:-1]}0.{signature[::-1]}", f"{name}={value.upper()}",
            f"{name}=../../etc/passwd.{signature}", f"{name}=", f"{name.upper()}={value}",
            f"{name}={content}.{'A' * len(signature)}"]  # fmt: skip


def test_lists_hold_ones_own_runs_alone(people: list[tuple[Visitor, str]]) -> None:
    for visitor, run in people:
        assert [row["id"] for row in visitor.ask("GET", API).body] == [run]


def test_nobody_steers_or_deletes_anothers(server: Live, people: list[tuple[Visitor, str]]) -> None:
    stranger = Visitor(server.port)
    for visitor, _ in people:
        for owner, run in people:
            if owner is not visitor:
                for action in ("pause", "resume", "step", "stop"):
                    assert visitor.control(run, action).status == 403
                assert visitor.control(run, "rate", rate=0.1).status == 403
                assert visitor.ask("DELETE", f"{API}/{run}").status == 403
                assert visitor.run(run)["own"] is False
    for _, run in people:
        assert stranger.control(run, "stop").status == 403
        assert stranger.ask("DELETE", f"{API}/{run}").status == 403
    assert stranger.ask("GET", API).body == []
    assert all(visitor.run(run)["own"] for visitor, run in people)


def test_a_forged_cookie_is_nobodys(server: Live, people: list[tuple[Visitor, str]]) -> None:
    owner, run = people[0]
    for cookie in forged(owner.cookie):
        thief = Visitor(server.port, cookie)
        assert thief.ask("GET", API).body == []
        thief.cookie = cookie
        assert thief.control(run, "stop").status == 403


def test_the_runs_went_on(people: list[tuple[Visitor, str]]) -> None:
    for visitor, run in people:
        assert visitor.run(run)["status"] in ("queued", "running")
        assert visitor.ask("DELETE", f"{API}/{run}").status in (200, 204)


def test_an_idempotency_key_is_ones_own(server: Live) -> None:
    """Two visitors who send the same key get a run each, and not each other's."""
    one, other = Visitor(server.port), Visitor(server.port)
    runs = [visitor.ask("POST", API, TINY, **{"Idempotency-Key": "the-same"}).body["id"] for visitor in (one, other)]
    again = one.ask("POST", API, TINY, **{"Idempotency-Key": "the-same"})
    assert (again.status, again.body["id"]) == (200, runs[0])
    assert runs[0] != runs[1]


def test_no_address_tells_of_runs_that_one_does_not_know(server: Live, people: list[tuple[Visitor, str]]) -> None:
    known = [run for _, run in people]
    paths = ("/metrics", "/api/v1/limits", "/train", "/api/v1/training", "/api/v1/training/options", "/")
    asked = [f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode() for path in paths]
    told = [server.send(request).decode("latin-1") for request in asked]
    assert not [run for run in known for text in told if run in text]


def test_names_cannot_be_guessed(server: Live, people: list[tuple[Visitor, str]]) -> None:
    runs = [run for _, run in people]
    names = [visitor.cookie.removeprefix(f"{COOKIE}=").split(".")[0] for visitor, _ in people]
    assert len(set(runs)) == len(set(names)) == VISITORS
    letters = string.ascii_letters + string.digits + "-_"
    assert all(RUN_ID.fullmatch(run) and set(run) <= set(letters) for run in runs)
    assert all(len(run) * log2(64) >= 128 for run in runs)
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in names)
    common = {prefix for prefix in {run[:3] for run in runs} if sum(run.startswith(prefix) for run in runs) > 1}
    assert not common  # no time and no counter at their beginning


@pytest.mark.parametrize("run", ["0" * 22, "A" * 22, "..", "%2e%2e", "' or 1=1--", "*", "%", "_" * 22, "runs", "1"])
def test_runs_that_there_are_not(server: Live, run: str) -> None:
    visitor = Visitor(server.port)
    for method, path in (("GET", ""), ("GET", "/events"), ("GET", "/report"), ("DELETE", ""), ("GET", "/results")):
        name = run.replace("%", "%25").replace(" ", "%20").replace("'", "%27")
        assert visitor.ask(method, f"{API}/{name}{path}").status in (404, 405)
