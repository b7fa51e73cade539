"""Two servers that share a database serve one class: whichever a request comes to, a pupil's page, run, stream, control
and link work. Behind the real nginx, which asks now the one and now the other."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from scripts.nginx import front
from scripts.postgres import Postgres
from tests.server.live import Live, live
from tests.server.training_client import API, LONG, TINY, Visitor, within

SECRET = "a secret that both servers are told: 0123456789"
ANALYSIS = "/api/v1/analysis?steps=16&hidden=4&batch=2&k=5"
OPTIONS = {"workers": 1, "light_workers": 0, "training_workers": 1, "training_nice": 0, "secret": SECRET}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with Postgres.started() as server:
        yield server.new_database()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[tuple[Live, Live]]:
    """Two servers, each with a data folder of its own, as on two machines."""
    with ExitStack() as all_of_it:
        one, other = (
            all_of_it.enter_context(live(**OPTIONS, database=database, data=tmp_path_factory.mktemp("data")))
            for _ in range(2)
        )
        yield one, other


@pytest.fixture(scope="module")
def address(servers: tuple[Live, Live]) -> Iterator[int]:
    with front(*(server.port for server in servers)) as found:
        yield int(found.rsplit(":", 1)[1])


@pytest.fixture
def pupil(address: int) -> Visitor:
    """Somebody who has opened the page, by nginx."""
    somebody = Visitor(address)
    assert somebody.ask("GET", "/train").status == 200
    assert somebody.cookie
    return somebody


def at(pupil: Visitor, server: Live) -> Visitor:
    """Returns the same pupil, whose requests come to this server."""
    return replace(pupil, port=server.port)


def test_a_cookie_is_good_at_both(servers: tuple[Live, Live], pupil: Visitor) -> None:
    before = pupil.cookie
    for server in servers:
        assert "set-cookie" not in at(pupil, server).ask("GET", "/").headers
    assert pupil.cookie == before


def test_a_run_is_whole_for_a_pupil_who_comes_to_now_the_one_and_now_the_other(pupil: Visitor) -> None:
    id = pupil.start(TINY | {"evaluations": 3})
    done = pupil.until(id, "done")
    assert done["own"]
    with pupil.stream(id) as stream:
        events = list(stream)
    assert events == pupil.events(id)
    assert [event["id"] for event in events] == list(range(1, done["last_event"] + 1))
    assert [run["id"] for run in pupil.ask("GET", API).body] == [id]
    lane, tokens = next((e["data"]["lane"], e["data"]["tokens"]) for e in events if e["event"] == "moment")
    moments = [pupil.ask("GET", f"{API}/{id}/moments/{lane}/{tokens}") for _ in range(2)]
    assert moments[0].status == 200
    assert moments[0].body == moments[1].body
    explored = pupil.ask("POST", "/api/v1/certificate", {name: moments[0].body[name] for name in ("config", "weights")})
    assert explored.status == 200
    reports = [pupil.ask("GET", f"{API}/{id}/report") for _ in range(2)]
    assert [report.status for report in reports] == [200, 200]
    assert pupil.ask("DELETE", f"{API}/{id}").status == 204
    assert [pupil.ask("GET", f"{API}/{id}").status for _ in range(2)] == [404, 404]


def test_the_same_key_at_both_makes_one_run(servers: tuple[Live, Live], pupil: Visitor) -> None:
    key = {"Idempotency-Key": "the-same"}
    made = [at(pupil, server).ask("POST", API, TINY, **key) for server in servers]
    assert [answer.status for answer in made] == [201, 200]
    assert made[0].body["id"] == made[1].body["id"]
    pupil.until(made[0].body["id"], "done")


def test_who_watches_at_the_other_server_sees_everything_as_it_comes(
    servers: tuple[Live, Live], pupil: Visitor
) -> None:
    trains, other = (at(pupil, server) for server in servers)
    id = trains.start(LONG)
    with other.stream(id) as stream:
        coming = iter(stream)
        seen = list(islice(coming, 40))
        other.until(id, "running")
        assert trains.control(id, "stop").status == 200
        seen += list(coming)
    assert [event["id"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["data"]["status"] == "cancelled"
    assert seen == trains.events(id)


def test_a_run_does_what_is_asked_of_the_server_that_does_not_train_it(
    servers: tuple[Live, Live], pupil: Visitor
) -> None:
    trains, other = (at(pupil, server) for server in servers)
    id = trains.start(LONG)
    trains.trained(id, 1)
    with trains.stream(id) as stream:
        changed = other.control(id, "rate", rate=0.5)
        assert changed.status == 200
        paused = other.control(id, "pause")
        assert (paused.status, paused.body["status"]) == (200, "paused")
        assert trains.run(id)["status"] == "paused"
        resumed = other.control(id, "resume")  # and is trained by the other one now
        assert (resumed.status, resumed.body["status"] in ("queued", "running")) == (200, True)
        tokens = other.run(id)["tokens"]
        other.trained(id, tokens + 1)
        trains.until(id, "running")
        stopped = trains.ask("DELETE", f"{API}/{id}")
        assert (stopped.status, stopped.body["status"]) == (200, "cancelled")
        seen = list(stream)
    assert other.run(id)["status"] == trains.run(id)["status"] == "cancelled"
    assert seen == other.events(id) == trains.events(id)
    assert [event["data"]["rate"] for event in seen if event["event"] == "rate"] == [0.5]
    assert [event["data"]["action"] for event in seen if event["event"] == "order"] == ["rate", "pause", "stop"]


def test_a_stranger_may_do_nothing_at_either(servers: tuple[Live, Live], pupil: Visitor, address: int) -> None:
    id = at(pupil, servers[0]).start(LONG)
    stranger = Visitor(address)
    stranger.ask("GET", "/train")
    assert [at(stranger, server).control(id, "stop").status for server in servers] == [403, 403]
    assert at(pupil, servers[1]).control(id, "stop").body["status"] == "cancelled"


def test_what_a_server_leaves_that_ends_is_taken_up_by_the_other(
    servers: tuple[Live, Live], pupil: Visitor, database: str, tmp_path: Path
) -> None:
    with live(**OPTIONS, database=database, data=tmp_path) as third:
        id = at(pupil, third).start(LONG)
        at(pupil, third).trained(id, 1)
        third.process.kill()
        third.process.wait()
        run = at(pupil, servers[0]).until(id, "interrupted", seconds=within(30))
        assert run["own"]
    assert at(pupil, servers[0]).control(id, "resume").status == 200
    at(pupil, servers[1]).trained(id, run["tokens"] + 1)
    assert at(pupil, servers[1]).control(id, "stop").body["status"] == "cancelled"


def test_a_link_shows_the_same_numbers_at_both(servers: tuple[Live, Live]) -> None:
    answers = [_answer(f"http://127.0.0.1:{server.port}{ANALYSIS}") for server in servers]
    assert answers[0] == answers[1]


def _answer(url: str) -> tuple[str, dict[str, Any]]:
    with urllib.request.urlopen(url, timeout=60) as answer:
        body = json.load(answer)
        return answer.headers["etag"], {name: value for name, value in body.items() if name != "engine_ms"}
