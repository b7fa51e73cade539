"""Bad JSON on every route that takes JSON: refused, soon, shortly, and without a word of what was sent."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from engine import LAB_OPTIONS, OPTIONS, STRATEGY_OPTIONS
from tests.hostile.reading import Body, bodies
from tests.server.training_client import TINY, within

RUN = "/api/v1/training/{id}/control"
CONFIGS = ("/api/v1/certificate", "/api/v1/long", "/api/v1/closeup", "/api/v1/credit",
           "/api/v1/estimate")
ROUTES = ("/api/v1/analysis", *CONFIGS, "/api/v1/bugs/find", "/api/v1/training", "/api/v1/training/estimate", RUN)
FILES = ("/api/v1/weights", "/api/v1/traces")
LONG, ALIKE = 64 * 1024, (*CONFIGS, "/api/v1/training")  # are read as another one's are
GOOD = {"a subnormal", "a million decimals", "too much together"}  # to a route that says what a config costs
ECHO, MOST_BYTES, SECONDS, TRIES = 64, 4096, 0.1, 5
BODIES = bodies()
VALUES: list[Any] = [None, True, "x", "", "1e999", [], {}, [[1]], -1, 0.5, 2**63, 10**400, -(10**30), 1e300, "\u202e\0"]


@dataclass
class Sent:
    """The one run that controls are sent to; and every answer is there in time."""

    client: TestClient
    run: str

    def post(self, route: str, content: bytes, media: str = "application/json") -> Any:
        """Returns the answer. One that comes late is asked for again: what is slow by itself is so each time."""
        times: list[float] = []
        while not times or (times[-1] > SECONDS and len(times) < TRIES):
            begun = time.perf_counter()
            answer = self.client.post(route.replace("{id}", self.run), content=content, headers={"content-type": media})
            times.append(time.perf_counter() - begun)
        assert min(times) < within(SECONDS), (route, times)
        return answer


@pytest.fixture(scope="module")
def sent(client: TestClient) -> Iterator[Sent]:
    started = client.post("/api/v1/training", json=TINY)
    assert started.status_code == 201
    found = Sent(client, started.json()["id"])
    yield found
    client.delete(f"/api/v1/training/{found.run}")


def check_refusal(response: Any, body: bytes) -> None:
    """A refusal is a short problem, without a trace and without the input: at most 60 characters name a value."""
    assert 400 <= response.status_code < 500, response.text[:500]
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) <= MOST_BYTES
    assert "Traceback" not in response.text
    assert not re.search(r'File "|\.py\b|site-packages', response.text)
    text = body.decode("utf-8", "replace")
    said = response.text
    assert not any(text[at : at + ECHO] in said for at in range(0, min(len(text), 4000) - ECHO, 8))


def test_there_are_enough_cases_and_no_route_is_left_out(app: FastAPI) -> None:
    assert len(BODIES) >= 200
    posts = {route.path for route in iter_route_contexts(app.routes) if "POST" in (route.methods or ())}
    assert posts == {route.replace("{id}", "{id:run}") for route in (*ROUTES, *FILES)}


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_bad_body(sent: Sent, body: Body) -> None:
    for route in ROUTES:
        if len(body.content) > LONG and route in ALIKE:
            continue
        response = sent.post(route, body.content)
        if response.status_code == 200 and body.name in GOOD:
            continue
        check_refusal(response, body.content)
    for route in FILES:
        check_refusal(sent.post(route, body.content, "application/octet-stream"), body.content)


def refused_or_fine(response: Any, body: bytes) -> None:
    if response.status_code != 200:
        check_refusal(response, body)


@pytest.mark.parametrize("option", [option.name for option in OPTIONS])
def test_every_option_of_a_config_with_every_kind_of_value(client: TestClient, option: str) -> None:
    for value in VALUES:
        refused_or_fine(client.post("/api/v1/estimate", json={"config": {option: value}}), b"")


@pytest.mark.parametrize("option", [option.name for option in LAB_OPTIONS])
def test_every_option_of_a_lab_with_every_kind_of_value(client: TestClient, option: str) -> None:
    for value in VALUES:
        refused_or_fine(client.post("/api/v1/training/estimate", json=TINY | {option: value}), b"")


@pytest.mark.parametrize("option", [option.name for option in STRATEGY_OPTIONS])
def test_every_option_of_a_strategy_with_every_kind_of_value(client: TestClient, option: str) -> None:
    for value in VALUES:
        lab = TINY | {"strategies": [{"k": 5, option: value}]}
        refused_or_fine(client.post("/api/v1/training/estimate", json=lab), b"")
