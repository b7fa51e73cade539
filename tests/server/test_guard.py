"""The outermost layer: headers on every answer, host names, other sites, faults of ours."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from server.guard import Guard, host_allowed, security_headers
from server.settings import Settings

EVERYWHERE = ("content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy",
              "cross-origin-resource-policy", "permissions-policy", "x-request-id")  # fmt: skip
ADDRESSES = ["/", "/healthz", "/readyz", "/api/docs", "/api/v1/openapi.json", "/api/v1/options", "/api/v1/figures",
             "/api/v1/analysis?k=0", "/api/v1/analysis?steps=8&hidden=4&batch=1", "/nowhere", "/static/x/none.js",
             "/vendor/api-docs/swagger-ui.css", "/api/v1/analysis?text=" + "a" * 9000]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address[:30])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_every_answer_has_the_security_headers(client: TestClient, method: str, address: str) -> None:
    headers = client.request(method, address).headers
    assert all(headers.get(name) for name in EVERYWHERE)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in script
    assert script == "script-src 'self'" or address == "/api/docs"
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


def test_request_ids_differ(client: TestClient) -> None:
    assert client.get("/healthz").headers["x-request-id"] != client.get("/healthz").headers["x-request-id"]


def test_what_is_optional_is_optional() -> None:
    headers = security_headers(Settings(hsts=True, frame_ancestors="https://school.example"))
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert "frame-ancestors https://school.example;" in headers["content-security-policy"]
    assert "strict-transport-security" not in security_headers(Settings())


@pytest.mark.parametrize(
    ("host", "settings", "allowed"),
    [
        ("localhost", {}, True),
        ("localhost:8000", {}, True),
        ("LOCALHOST:1", {}, True),
        ("127.0.0.1:8000", {}, True),
        ("[::1]:8000", {}, True),
        ("[::1]", {}, True),
        ("evil.example", {}, False),
        ("evil.example:8000", {}, False),
        ("localhost.evil.example", {}, False),
        ("127.0.0.1.evil.example", {}, False),
        ("", {}, False),
        ("192.168.1.5:8000", {}, False),
        ("192.168.1.5:8000", {"host": "0.0.0.0"}, True),
        ("[fe80::1]:8000", {"host": "::"}, True),
        ("evil.example", {"host": "0.0.0.0"}, False),
        ("room.school.example", {"allowed_hosts": "room.school.example, other"}, True),
        ("room.school.example:80", {"allowed_hosts": "Room.School.Example"}, True),
        ("anything.example", {"allowed_hosts": "*"}, True),
        ("localhost:", {}, True),
        ("localhost:80@evil.example", {}, False),
        ("localhost:80/..", {}, False),
        ("localhost:\u0661", {}, False),
        ("[::1]@evil.example", {}, False),
    ],
)
def test_a_host_must_be_ours(host: str, settings: dict[str, Any], allowed: bool) -> None:
    assert host_allowed(host, Settings(**settings)) is allowed


def test_another_host_is_refused(client: TestClient) -> None:
    response = client.get("/healthz", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["problems"][0]["field"] == "Host"


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_other_sites_pages_may_not_post(client: TestClient, site: str, status: int) -> None:
    body = {"config": {"steps": 8, "hidden": 4, "batch": 1}}
    assert client.post("/api/v1/estimate", json=body, headers={"sec-fetch-site": site}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
        ("http://localhost:81", 403),
        ("http://localhost", 200),
    ],
)
def test_an_older_browser_says_its_origin(client: TestClient, origin: str, status: int) -> None:
    headers = {"origin": origin}
    body = {"config": {"steps": 8, "hidden": 4, "batch": 1}}
    assert client.post("/api/v1/estimate", json=body, headers=headers).status_code == status


@pytest.mark.parametrize("headers", [{f"x-{i}": "1" for i in range(200)}, {"cookie": "a" * 20_000}])
def test_too_many_or_too_long_headers(client: TestClient, headers: dict[str, str]) -> None:
    response = client.get("/healthz", headers=headers)
    assert response.status_code == 431
    assert response.json()["problems"][0]["field"] == "headers"


def through_guard(app: Any) -> list[Message]:
    """Returns what the guard sends for an application."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(app, Settings())(scope, receive, send))
    return sent


def test_a_fault_of_ours_is_a_problem_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("the secret reason")

    with caplog.at_level(logging.ERROR):
        start, body = through_guard(broken)
    assert start["status"] == 500
    assert b"secret" not in body["body"]
    assert b"Traceback" not in body["body"]
    assert "the secret reason" in caplog.text
    request_id = dict(start["headers"])[b"x-request-id"].decode()
    assert request_id in caplog.text


def test_a_fault_after_the_start_is_not_answered_twice() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        through_guard(broken)
