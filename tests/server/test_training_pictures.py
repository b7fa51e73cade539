"""A run's pictures and report by their own addresses, from real runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.training.pictures import encoded
from server.work import BINARY
from tests.server.live import Live
from tests.server.made_runs import RUNS
from tests.server.training_client import API, LONG, TINY, Visitor, served, visitor


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder: Path = tmp_path_factory.mktemp("kept")
    with served(folder) as running:
        yield running


@pytest.fixture(scope="module")
def owner(server: Live) -> Visitor:
    somebody = visitor(server)
    assert somebody.ask("GET", "/train").status == 200
    return somebody


@pytest.fixture(scope="module")
def done(owner: Visitor) -> dict[str, Any]:
    return owner.until(owner.start(TINY, seeds=2), "done")


def test_every_picture_with_its_sentence_and_table(owner: Visitor, done: dict[str, Any]) -> None:
    answer = owner.ask("GET", f"{API}/{done['id']}/figures")
    assert answer.status == 200
    assert answer.body["final"]
    assert answer.body["verdict"] == done["verdict"]
    pictures = answer.body["pictures"]
    assert set(pictures) == {"loss", "score", "loss_other", "training", "norms", "half_life", "costs", "probe_0",
                             "probe_1"}
    for picture in pictures.values():
        assert picture["figure"]["data"]
        assert picture["sentence"].endswith(".")
        assert all(len(row) == len(picture["table"]["columns"]) for row in picture["table"]["rows"])
    assert [row[0] for row in pictures["loss"]["table"]["rows"]] == [0, 1000, 2000]


def test_seed_measure_and_theme(owner: Visitor, done: dict[str, Any]) -> None:
    path = f"{API}/{done['id']}/figures"
    first, second = (owner.ask("GET", f"{path}?seed={seed}").body["pictures"] for seed in (0, 1))
    assert first["probe_0"]["table"] != second["probe_0"]["table"]
    assert first["loss"] == second["loss"]
    bits = owner.ask("GET", f"{path}?measure=bits").body["pictures"]["loss"]["table"]["rows"]
    assert bits[0][1] == pytest.approx(first["loss"]["table"]["rows"][0][1] / 0.6931471805599453)
    assert "var(--" in str(first["loss"]["figure"])
    assert "var(--" not in str(owner.ask("GET", f"{path}?theme=dark").body["pictures"]["loss"]["figure"])


def test_the_binary_form(owner: Visitor, done: dict[str, Any]) -> None:
    answer = owner.ask("GET", f"{API}/{done['id']}/figures", Accept=BINARY)
    assert answer.headers["content-type"] == BINARY
    assert answer.body.startswith(b"UNR1")


@pytest.mark.parametrize(("query", "status"), [
    ("seed=7", 422), ("seed=x", 422), ("measure=inches", 422), ("theme=pink", 422), ("what=1", 422)])
def test_what_makes_no_sense_is_refused(query: str, status: int, owner: Visitor, done: dict[str, Any]) -> None:
    answer = owner.ask("GET", f"{API}/{done['id']}/figures?{query}")
    assert answer.status == status
    assert answer.body["problems"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("end", ["figures", "report"])
def test_a_run_that_is_not_there(end: str, owner: Visitor) -> None:
    assert owner.ask("GET", f"{API}/{'A' * 22}/{end}").status == 404


def test_while_it_goes_on_there_is_a_preliminary_verdict(owner: Visitor) -> None:
    id = owner.start(LONG | {"tokens": 3_000_000, "evaluations": 200})
    begun = owner.ask("GET", f"{API}/{id}/figures").body
    assert not begun["final"]
    while (found := owner.ask("GET", f"{API}/{id}/figures").body)["verdict"] is None:
        assert owner.run(id)["status"] in ("queued", "running")
    assert not found["final"]
    assert "carrying the state" in found["verdict"]["headline"]
    assert any("No lane has reached the end" in note for note in found["verdict"]["notes"])
    report = owner.ask("GET", f"{API}/{id}/report").body.decode()
    assert "Preliminary verdict" in report
    owner.control(id, "stop")
    owner.until(id, "cancelled")
    assert owner.ask("GET", f"{API}/{id}/figures").body["final"]


def test_a_run_that_was_stopped_before_it_began_can_be_looked_at(owner: Visitor) -> None:
    id = owner.start(LONG)
    owner.control(id, "stop")
    owner.until(id, "cancelled")
    assert owner.ask("GET", f"{API}/{id}/figures").status == 200
    assert owner.ask("GET", f"{API}/{id}/report").status == 200


def test_the_report_is_a_file_of_its_own(owner: Visitor, done: dict[str, Any]) -> None:
    answer = owner.ask("GET", f"{API}/{done['id']}/report")
    assert answer.headers["content-type"].startswith("text/html")
    assert re.fullmatch(r'attachment; filename="unrolled-.{8}\.html"', answer.headers["content-disposition"])
    text = answer.body.decode()
    assert done["verdict"]["headline"] in text
    assert done["title"] in text


@pytest.mark.parametrize("name", RUNS)
def test_what_is_not_finite_is_null_and_said_to_be(name: str) -> None:
    found = json.loads(encoded(RUNS[name], (0, "nats", "", "application/json")))
    for picture in found["pictures"].values():
        table = picture["table"]
        nulls = [index for index, cell in enumerate(cell for row in table["rows"] for cell in row) if cell is None]
        assert nulls == sorted(place for places in table.get("rows_nonfinite", {}).values() for place in places)
    assert encoded(RUNS[name], (0, "nats", "", BINARY)).startswith(b"UNR1")
