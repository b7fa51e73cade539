"""Long sequences over HTTP: an overview, close-ups that cost little, and limits that say what to do."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import engine
from server import long
from server.admission import estimated_seconds
from server.places import place_of
from server.queries import read_query
from server.work import Task
from tests.server.test_api import BINARY, decode
from tests.server.test_jobs import running, until

ASKED = "task=copy&lag=3&steps=900&hidden=4&batch=1&k=30"
CONFIG = {"task": "copy", "lag": 3, "steps": 900, "hidden": 4, "batch": 1, "k": 30}


def test_an_overview_is_what_the_engine_says(client: TestClient) -> None:
    answer = client.get(f"/api/v1/long?{ASKED}").json()
    truth = engine.analyze_long(engine.parse(CONFIG))
    assert set(answer) == {*truth.__dataclass_fields__, "engine_ms", *(name for name in answer if "nonfinite" in name)}
    np.testing.assert_array_equal(answer["full"]["h"]["high"], truth.full.h.high)
    assert answer["costs"]["whole"]["kept"] == truth.costs.whole.kept
    assert answer["certificate"]["status"] == answer["certificate_full"]["status"] == "passed"
    assert answer["plan"]["cuts"] == truth.plan.cuts.tolist()
    assert client.get(f"/api/v1/long?{ASKED}&certificate=false").json()["certificate"] is None


def test_a_close_up_is_that_part_of_the_analysis(client: TestClient) -> None:
    answer = client.get(f"/api/v1/closeup?{ASKED}&from=600&to=700").json()
    whole = client.get(f"/api/v1/analysis?{ASKED}&certificate=false").json()
    assert (answer["first"], answer["steps"]) == (600, 900)
    found = answer["analysis"]
    for side in ("truncated", "full"):
        np.testing.assert_allclose(found[side]["h"], whole[side]["h"][600:700], rtol=1e-11)
    assert found["sequence"]["inputs"] == whole["sequence"]["inputs"][600:700]
    assert (np.array(found["plan"]["reach"]) + 600 == whole["plan"]["reach"][600:700]).all()


def test_its_figures_bear_the_steps_own_numbers(client: TestClient) -> None:
    answer = decode(client.get(f"/api/v1/closeup?{ASKED}&from=600&to=700", headers={"accept": BINARY}).content)
    for name in ("norms", "credit", "carry_over", "carry_units", "contributions"):
        assert answer["figures"][name]["layout"]["xaxis"]["range"].tolist() == [599.5, 699.5], name
    (full,) = [trace["x"] for trace in answer["figures"]["norms"]["data"] if trace["name"] == "full"]
    np.testing.assert_array_equal(full, np.arange(600, 700))
    low, high = answer["figures"]["credit"]["layout"]["yaxis"]["range"]
    assert 599 <= low < high <= 700
    assert answer["figures"]["costs"]["data"]


@pytest.mark.parametrize("media", ["application/json", BINARY])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_steps_at_which_no_loss_is_read_have_no_credit(client: TestClient, cell: str, media: str) -> None:
    asked = f"/api/v1/closeup?loss_at=last&steps=100&hidden=4&batch=2&cell={cell}&from=10&to=32"
    answer = client.get(asked, headers={"accept": media})
    assert answer.status_code == 200
    found = (decode(answer.content) if media == BINARY else answer.json())["analysis"]
    assert np.shape(found["credit"]["h"])[0] == len(found["credit"]["loss_steps"]) == 0
    assert found["words"]["credit"] == "No loss is read at these steps."
    assert np.max(found["full"]["h"]) > 0, "the loss at the end reaches them"


@pytest.mark.parametrize(("given", "steps"), [("", (700, 900)), ("&from=100", (100, 300)), ("&to=150", (0, 150)),
                                              ("&from=880", (880, 900))])
def test_what_is_left_out_of_the_range_has_a_default(client: TestClient, given: str, steps: tuple[int, int]) -> None:
    answer = client.get(f"/api/v1/closeup?{ASKED}{given}").json()
    assert (answer["first"], answer["first"] + len(answer["analysis"]["states"]["h"])) == steps


@pytest.mark.parametrize(("given", "field", "says"), [
    ("&from=900&to=901", "from", "to <= steps = 900"), ("&from=10&to=10", "from", "from < to"),
    ("&from=0&to=501", "to", "at most 500 steps"), ("&from=x", "from", "whole number from 0"),
    ("&from=-1", "from", "from 0 to"),
    ("&from=1&from=2", "from", "once")])
def test_a_range_that_is_none_is_refused(client: TestClient, given: str, field: str, says: str) -> None:
    response = client.get(f"/api/v1/closeup?{ASKED}{given}")
    assert response.status_code == 422
    (problem,) = response.json()["problems"]
    assert problem["field"] == field
    assert says in problem["limit"]


def test_a_body_gives_the_same_and_takes_a_whole_book(client: TestClient) -> None:
    text = "to be or not to be, that is the question. " * 5000
    config = {"text": text, "steps": 800, "hidden": 3, "batch": 1, "k": 16}
    body: dict[str, Any] = {"config": config, "from": 300, "to": 320}
    answer = client.post("/api/v1/closeup", json=body).json()
    assert "".join(answer["analysis"]["sequence"]["inputs"]) == text[300:320]
    overview = client.post("/api/v1/long", json={"config": config, "certificate": False}).json()
    assert overview["steps"] == 800
    assert overview["costs"] == answer["analysis"]["costs"]
    got = client.get(f"/api/v1/closeup?{ASKED}&from=20&to=30").json()
    posted = client.post("/api/v1/closeup", json={"config": CONFIG, "from": 20, "to": 30}).json()
    assert posted["analysis"] == got["analysis"]


def test_a_wrong_body_names_what_is_wrong(client: TestClient) -> None:
    response = client.post("/api/v1/closeup", json={"config": CONFIG, "from": -5})
    assert response.status_code == 422
    assert response.json()["problems"][0]["field"] == "from"
    assert client.post("/api/v1/long", json={"config": CONFIG, "include": ["credit"]}).status_code == 422


def test_the_same_address_has_the_same_tag_and_another_range_another_one(client: TestClient) -> None:
    first = client.get(f"/api/v1/closeup?{ASKED}&from=20&to=30")
    again = client.get(f"/api/v1/closeup?{ASKED}&to=30&from=20", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    other = client.get(f"/api/v1/closeup?{ASKED}&from=21&to=30")
    assert other.headers["etag"] != first.headers["etag"]


def test_every_step_of_a_long_sequence_is_refused_with_the_way_out(client: TestClient) -> None:
    response = client.get("/api/v1/analysis?task=copy&steps=100000&hidden=4&batch=1")
    assert response.status_code == 422
    assert "long analysis" in response.json()["problems"][0]["remedy"]


def test_one_that_is_too_heavy_says_by_how_much(client: TestClient) -> None:
    response = client.get("/api/v1/long?task=copy&steps=100000&hidden=256&batch=4")
    assert response.status_code == 422
    assert "smaller" in response.json()["problems"][0]["remedy"]


def test_the_estimate_knows_it(client: TestClient) -> None:
    answer = client.get("/api/v1/estimate?task=copy&steps=50000&hidden=8&batch=1").json()
    assert answer["affordable"]
    assert answer["seconds"] == engine.estimate_long(engine.parse({"task": "copy", "steps": 50_000, "hidden": 8,
                                                                   "batch": 1}), False).seconds
    assert answer["limits"]["long_seconds"]["value"] == 60


def test_a_close_up_of_what_is_kept_is_estimated_to_be_quick() -> None:
    query = read_query("closeup", b"task=copy&steps=100000&hidden=16&batch=1&from=5&to=50")
    task = Task(query, place=place_of(query))
    assert estimated_seconds(task, kept=True) < estimated_seconds(task) / 10


def test_a_place_is_that_of_the_sequence_whatever_is_asked_of_it() -> None:
    overview, closeup = read_query("long", ASKED.encode()), read_query("closeup", f"{ASKED}&from=5&to=9".encode())
    assert place_of(overview) == place_of(closeup) != place_of(read_query("long", f"{ASKED}&seed=3".encode()))


def test_a_process_keeps_the_last_sequence_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[engine.Config] = []
    known = engine.long_reference

    def counted(config: engine.Config, given: Any) -> engine.LongReference:
        made.append(config)
        return known(config, given)

    monkeypatch.setattr(engine, "long_reference", counted)
    here = long.LongReferences()
    first, other = read_query("long", ASKED.encode()), read_query("long", f"{ASKED}&seed=3".encode())
    assert here.of(first) is here.of(read_query("closeup", f"{ASKED}&from=5&to=9".encode()))
    assert here.of(other) is not here.of(first)
    assert len(made) == 3


def test_a_close_up_goes_to_the_process_that_keeps_its_sequence() -> None:
    def asked(kind: str, more: str = "") -> Task:
        query = read_query(kind, f"task=copy&lag=2&steps=600&hidden=3&batch=1{more}".encode())
        return Task(query, seconds=1e9, place=place_of(query))

    async def scenario() -> None:
        async with running(workers=2) as jobs:
            await until(lambda: jobs.ready == 2)
            await jobs.run("overview", asked("long"))
            for n in range(4):
                done = await jobs.run(f"close-up {n}", asked("closeup", f"&from={n}&to=50"))
                assert done.answer.status == 200
                assert done.cost < 1
            assert sorted(process.answered for process in jobs.processes) == [0, 5]

    asyncio.run(scenario())
