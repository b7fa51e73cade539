"""A training run from its start to its results, through a real server and real training processes."""

from __future__ import annotations

import csv
import io
import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.live import Live
from tests.server.training_client import API, LONG, TINY, Visitor, numbers, served, visitor, within


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Live]:
    with served(folder) as running:
        yield running


@pytest.fixture(scope="module")
def owner(server: Live) -> Visitor:
    """Somebody who has opened the page, which has processes ready for what they start."""
    somebody = visitor(server)
    assert somebody.ask("GET", "/train").status == 200
    return somebody


@pytest.fixture(scope="module")
def done(owner: Visitor) -> dict[str, Any]:
    return owner.until(owner.start(TINY, seeds=2), "done")


def test_the_first_point_is_stored_within_a_second_of_the_start(server: Live, owner: Visitor) -> None:
    warm = owner.start()
    owner.until(warm, "done")
    begun = time.monotonic()
    id = owner.start(LONG)
    while not any(event["event"] == "point" for event in owner.events(id)):
        time.sleep(0.01)
    seconds = time.monotonic() - begun
    owner.ask("DELETE", f"{API}/{id}")
    assert seconds < within(1)


def test_a_run_comes_to_its_verdict(done: dict[str, Any]) -> None:
    assert (done["status"], done["share"], done["remaining_seconds"]) == ("done", 1, 0)
    assert done["tokens"] == done["total_tokens"] == 4 * TINY["tokens"]
    assert [lane["ended"] for lane in done["lanes"]] == ["done"] * 4
    assert done["verdict"]["headline"]
    assert done["lab"]["hidden"] == TINY["hidden"]
    for strategy in done["strategies"]:
        assert strategy["seconds"] > 0
        assert 10_000 < strategy["peak_bytes"] < 10_000_000


def test_what_full_bptt_holds_is_measured(owner: Visitor) -> None:
    lab = TINY | {"steps": 40, "hidden": 16, "strategies": [{"style": "full"}, {"k": 5}]}
    full, short = owner.until(owner.start(lab), "done")["strategies"]
    assert full["peak_bytes"] > 2 * short["peak_bytes"]


def test_events_have_ids_without_gaps_and_every_lane_its_points(owner: Visitor, done: dict[str, Any]) -> None:
    events = owner.events(done["id"])
    assert [event["id"] for event in events] == list(range(1, done["last_event"] + 1))
    assert [event["data"]["status"] for event in events if event["event"] == "state"] == ["queued", "running", "done"]
    for lane in numbers(events).values():
        points = [item["tokens"] for item in lane if item["event"] == "point"]
        assert points == sorted(set(points))
        assert points[-1] == TINY["tokens"]
        assert [item["tokens"] for item in lane if item["event"] == "moment"] == [0, 1000, 2000]
        assert lane[-1]["event"] == "lane"


def test_the_same_lab_gives_the_same_numbers(owner: Visitor, done: dict[str, Any]) -> None:
    again = owner.until(owner.start(TINY, seeds=2), "done")
    assert numbers(owner.events(again["id"])) == numbers(owner.events(done["id"]))
    assert again["verdict"]["headline"] == done["verdict"]["headline"]


def test_results_as_json_and_csv(owner: Visitor, done: dict[str, Any]) -> None:
    path = f"{API}/{done['id']}/results"
    whole = owner.ask("GET", path).body
    assert (whole["lab"]["tokens"], whole["seeds"], whole["verdict"]) == (2000, [0, 1], done["verdict"])
    points = whole["lanes"][0]["points"]
    table = owner.ask("GET", f"{path}.csv")
    assert table.headers["content-disposition"].startswith("attachment")
    assert owner.ask("GET", path, Accept="text/csv").body == table.body
    rows = list(csv.DictReader(io.StringIO(table.body.decode())))
    first = [row for row in rows if row["lane"] == "0.0" and row["kind"] == "point"]
    assert [float(row["loss"]) for row in first] == points["loss"]
    assert sum(row["kind"] == "moment" for row in rows) == 4 * 3


def test_a_moment_opens_in_the_analysis(owner: Visitor, done: dict[str, Any]) -> None:
    opened = owner.ask("GET", f"{API}/{done['id']}/moments/1.0/2000").body
    assert (opened["config"]["value"], opened["config"]["k"]) == ("reset", 5)
    analysis = owner.ask("POST", "/api/v1/analysis", {**opened, "certificate": False})
    assert analysis.status == 200, analysis.body
    begun = owner.ask("GET", f"{API}/{done['id']}/moments/1.0/0").body
    assert begun["weights"].keys() == opened["weights"].keys()
    assert begun["weights"] != opened["weights"]
    missing = owner.ask("GET", f"{API}/{done['id']}/moments/1.0/17")
    assert (missing.status, missing.body["problems"][0]["field"]) == (404, "tokens")
    assert owner.ask("GET", f"{API}/{done['id']}/moments/9.9/0").status == 404


def test_the_same_key_starts_one_run(owner: Visitor) -> None:
    made = [owner.ask("POST", API, TINY, **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status for answer in made] == [201, 200]
    assert made[0].body["id"] == made[1].body["id"]
    assert made[0].headers["location"] == f"{API}/{made[0].body['id']}"
    other = owner.ask("POST", API, TINY | {"k": 7} | {"hidden": 5}, **{"Idempotency-Key": "once"})
    assert other.status == 422
    owner.until(made[0].body["id"], "done")


def test_a_text_of_five_megabytes_passes_here_and_nowhere_else(owner: Visitor) -> None:
    text = ("Ein längerer Text, in dem etwas steht. " * 130_000)[: 5_000_000 - 200_000]
    id = owner.start(TINY, text=text)
    run = owner.until(id, "done")
    assert run["lab"]["text"] == ""
    assert run["lab"]["left_out"] == {"text": len(text)}
    assert owner.ask("POST", "/api/v1/analysis", {"config": {"text": text}}).status == 413
    longer = owner.ask("POST", API, json.dumps(TINY).encode() + b" " * 2**24)
    assert (longer.status, longer.body["problems"][0]["field"]) == (413, "body")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b'{"text": "\xff\xfe"}', 400, "body"),
        (b"[]", 400, "body"),
        ({"hiden": 4}, 422, "hiden"),
        ({"text": "aaaa" * 5000}, 422, "text"),
        ({"text": "too short"}, 422, "text"),
        ({"task": "series", "series": "1,2\n3,\n4,5"}, 422, "series"),
        ({"rate": -1}, 422, "rate"),
        ({"strategies": [{"k": 5}, {"k": 5}]}, 422, "strategies"),
        ({"strategies": []}, 422, "strategies"),
        ({"strategies": [{"style": "full"}]}, 422, "strategies[0].style"),
    ],
)
def test_what_is_wrong_is_said(owner: Visitor, body: Any, status: int, field: str) -> None:
    answer = owner.ask("POST", API, body if isinstance(body, bytes) else TINY | body)
    assert (answer.status, answer.body["problems"][0]["field"]) == (status, field), answer.body


def test_own_runs_are_listed_and_those_of_others_are_not(server: Live, owner: Visitor, done: dict[str, Any]) -> None:
    mine = owner.ask("GET", API).body
    assert done["id"] in [run["id"] for run in mine]
    assert visitor(server).ask("GET", API).body == []


def test_an_id_that_nobody_has(owner: Visitor) -> None:
    for path in ("", "/events", "/points", "/results"):
        assert owner.ask("GET", f"{API}/{'x' * 22}{path}").status == 404


def test_head_of_a_stream_ends(owner: Visitor, done: dict[str, Any]) -> None:
    answer = owner.ask("HEAD", f"{API}/{done['id']}/events")
    assert (answer.status, answer.body) == (200, b"")


def test_the_cookie_is_kept_from_scripts_and_its_secret_from_others(server: Live, folder: Path) -> None:
    answer = visitor(server).ask("POST", API, TINY | {"hidden": 0})
    assert "set-cookie" not in answer.headers
    cookie = visitor(server).ask("GET", "/train").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_a_cookie_that_was_tampered_with_is_nobody(server: Live, done: dict[str, Any], owner: Visitor) -> None:
    name, _, value = owner.cookie.partition("=")
    forged = Visitor(server.port, f"{name}={'0' if value[0] != '0' else '1'}{value[1:]}")
    assert owner.run(done["id"])["own"] is True
    assert forged.run(done["id"])["own"] is False
