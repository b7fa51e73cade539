"""The metrics count what was asked, and the log says it in a line that nothing can break."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from server import logs
from server.seen import Seen
from tests.server.conftest import SMALL


def counted(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def of(counts: dict[tuple[str, tuple[tuple[str, str], ...]], float], name: str, **labels: str) -> float:
    return counts.get((name, tuple(sorted(labels.items()))), 0.0)


def test_requests_are_counted_by_the_pattern_of_their_route(client: TestClient) -> None:
    before = counted(client)
    client.get("/api/v1/figures/norms?steps=11&hidden=4&batch=2")
    client.get("/api/v1/figures/credit?steps=11&hidden=4&batch=2")
    client.get("/nowhere/1")
    client.get("/nowhere/2")
    client.get("/api/v1/analysis?k=0")
    after = counted(client)
    for labels, more in (
        ({"route": "/api/v1/figures/{name}", "method": "GET", "status": "200"}, 2),
        ({"route": "other", "method": "GET", "status": "404"}, 2),
        ({"route": "/api/v1/analysis", "method": "GET", "status": "422"}, 1),
    ):
        assert of(after, "unrolled_requests_total", **labels) - of(before, "unrolled_requests_total", **labels) == more


def test_an_analysis_is_computed_once_and_then_kept(client: TestClient) -> None:
    before = counted(client)
    for _ in range(3):
        assert client.get(f"/api/v1/analysis?{SMALL}&seed=4711").status_code == 200
    after = counted(client)
    computed = "unrolled_compute_seconds_count"
    assert of(after, computed, kind="analysis") - of(before, computed, kind="analysis") == 1
    assert of(after, "unrolled_cache_hits_total") - of(before, "unrolled_cache_hits_total") == 2
    assert of(after, "unrolled_cache_bytes") > of(before, "unrolled_cache_bytes")
    assert of(after, "unrolled_processes") >= 1
    assert of(after, "unrolled_queue_jobs") == 0


def line(record: logging.LogRecord, form: str) -> str:
    formatter = logs.JsonLines() if form == "json" else logs.Lines(logs.PLAIN)
    return formatter.format(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What the log of requests is given."""
    found: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = found.append  # type: ignore[method-assign]
    level = logs.log.level
    logs.log.addHandler(handler)
    logs.log.setLevel(logging.INFO)
    yield found
    logs.log.removeHandler(handler)
    logs.log.setLevel(level)


def test_a_request_is_one_line_with_its_cost_and_times(client: TestClient, records: list[logging.LogRecord]) -> None:
    response = client.get(f"/api/v1/analysis?{SMALL}&seed=4712")
    [record] = records
    said = json.loads(line(record, "json"))
    assert said["id"] == response.headers["x-request-id"]
    assert (said["method"], said["route"], said["status"]) == ("GET", "/api/v1/analysis", 200)
    assert 0 < said["compute"] < said["seconds"]
    assert said["cost"] > 0
    assert said["queue"] >= 0
    assert re.search(r"route=/api/v1/analysis status=200 seconds=[\d.]+ cost=[\d.]+ queue=", line(record, "text"))


def test_what_a_visitor_sends_is_not_in_the_log(client: TestClient, records: list[logging.LogRecord]) -> None:
    client.get("/api/v1/analysis?text=my-secret-text&steps=4", headers={"cookie": "secret-cookie"})
    client.get("/secret%0d%0aINFO-forged")
    said = [line(record, form) for record in records for form in ("text", "json")]
    assert len(said) == 4
    assert not any("secret" in text or "\n" in text for text in said)


def test_control_characters_are_escaped() -> None:
    record = logging.LogRecord("unrolled", logging.WARNING, "", 0, "one\nWARNING two\x1b[2J\x85", (), None)
    assert line(record, "text").endswith(r"one\x0aWARNING two\x1b[2J\x85")
    assert json.loads(line(record, "json"))["message"] == "one\nWARNING two\x1b[2J\x85"
    assert "\n" not in line(record, "json")


def test_requests_are_logged_only_where_that_is_wanted(records: list[logging.LogRecord]) -> None:
    logs.log.setLevel(logging.WARNING)
    logs.note(Seen("1", "GET"))
    assert records == []
