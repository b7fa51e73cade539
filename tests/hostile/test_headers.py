"""The security headers, on every answer of every route, by every method, to good and bad requests."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from server.app import create_app
from tests.server.headers import EXACT, POLICY, wrong
from tests.server.training_client import TINY

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE")
QUERIES = ("", "?steps=8&hidden=4&batch=1", "?nonsense=1", "?%ff")
NAMES = {"id": "0" * 32, "name": "norms", "version": "0", "framework": "pytorch", "lane": "0-0", "tokens": "1"}
PATHS = sorted({route.path or "" for route in iter_route_contexts(create_app().routes)})


def filled(path: str, **names: str) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda match: (NAMES | names).get(match[1], "x"), path)


def test_the_routes_are_there() -> None:
    assert len(PATHS) >= 40
    assert {"/", "/api/v1/training/{id:run}/report", "/static/{version}/{name:path}"} <= set(PATHS)


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/static/../x", "/api/v1/training/none"])
def test_every_route_by_every_method(client: TestClient, path: str) -> None:
    """The client itself fails for an answer that lacks a header (tests/server/headers.py)."""
    seen = set()
    for method in METHODS:
        for query in QUERIES if method in ("GET", "HEAD") else QUERIES[:1]:
            seen.add(client.request(method, filled(path) + query).status_code)
    assert seen
    assert not {status for status in seen if status >= 500} - {503}


@pytest.fixture(scope="module")
def run(client: TestClient) -> str:
    return str(client.post("/api/v1/training", json=TINY).json()["id"])


@pytest.mark.parametrize("path", [path for path in PATHS if "{id:run}" in path and "events" not in path])
def test_every_route_of_a_run_that_there_is(client: TestClient, run: str, path: str) -> None:
    assert client.get(filled(path, id=run)).status_code in (200, 404, 405)


def test_an_event_stream_has_them_too(client: TestClient, run: str) -> None:
    assert client.head(f"/api/v1/training/{run}/events").status_code == 200


def test_every_file_of_the_page(client: TestClient, app: FastAPI) -> None:
    assets = app.state.services.assets
    for name in assets.static._paths:
        assert client.head(assets.static_url(name)).status_code == 200
    for name in assets.api_docs._paths:
        assert client.head(f"/vendor/api-docs/{name}").status_code in (200, 404)


CSP = "; ".join([*sorted(POLICY), "script-src 'self'"])
GOOD: dict[str, Any] = EXACT | {
    "content-security-policy": CSP, "x-request-id": "0" * 16,
    "cache-control": "no-store", "content-type": "text/html; charset=utf-8",
}  # fmt: skip


@pytest.mark.parametrize("change", [
    {"x-content-type-options": ""}, {"referrer-policy": "origin"}, {"server": "uvicorn"}, {"x-request-id": "1"},
    {"access-control-allow-origin": "*"}, {"content-security-policy": "default-src *"}, {"cache-control": ""},
    {"content-security-policy": CSP.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")},
    {"content-security-policy": CSP.replace("frame-ancestors 'none'", "")},
    {"content-type": ""}, {"set-cookie": "a=b"},
], ids=str)  # fmt: skip
def test_the_look_at_headers_sees_what_is_wrong(change: dict[str, str]) -> None:
    assert wrong(200, GOOD) == []
    assert wrong(200, GOOD | change)
