"""Other sites: who may post, under which host name, in which form; no frame, no redirect elsewhere, no CORS."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.hostile.reading import load

TABLE: list[dict[str, Any]] = load("origins")
BODY = json.dumps({"config": {"steps": 8, "hidden": 4, "batch": 1}}).encode()


def test_the_table_is_large_enough() -> None:
    assert len(TABLE) >= 60
    assert {row["status"] for row in TABLE} >= {200, 400, 403, 404, 405, 415}
    assert len({json.dumps(row, sort_keys=True) for row in TABLE}) == len(TABLE)


def named(row: dict[str, Any]) -> str:
    headers = " ".join(f"{name}={text}" for name, text in row["headers"].items())
    return f"{row['method']} {row['path']} {headers}".strip()


@pytest.mark.parametrize("row", TABLE, ids=named)
def test_a_row_of_the_table(client: TestClient, row: dict[str, Any]) -> None:
    client.cookies.clear()
    headers = {"host": "localhost", "content-type": "application/json", **row.get("headers", {})}
    content = BODY if row["method"] in ("POST", "PUT", "PATCH") else None
    request = client.build_request(row["method"], row["path"], headers=headers, content=content)
    response = client.send(request, follow_redirects=False)
    assert response.status_code == row["status"], response.text[:300]
    assert not [name for name in response.headers if name.startswith("access-control-")]
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    if response.status_code in (400, 403):
        assert response.json()["problems"][0]["field"] in ("Host", "Sec-Fetch-Site", "Origin")


REDIRECTS = ["//evil.example", "//evil.example/%2f..", "/\\evil.example", "///evil.example", "/%5cevil.example",
             "/%2f%2fevil.example", "/.evil.example", "/@evil.example", "/?next=//evil.example",
             "/?url=https://evil.example",
             "/train/?to=//evil.example",
             "/api/docs/", "/train/", "/bugs/", "/static//evil.example", "/healthz/"]  # fmt: skip


@pytest.mark.parametrize("path", REDIRECTS)
def test_nothing_leads_elsewhere(client: TestClient, path: str) -> None:
    response = client.get(f"http://localhost{path}", follow_redirects=False)
    assert "location" not in response.headers
    assert not re.search(r"""(href|src|action|content)=["'][^"']*evil""", response.text)


@pytest.mark.parametrize("header", [
    "x-forwarded-host", "x-original-url", "x-rewrite-url", "x-forwarded-prefix", "forwarded", "x-http-method-override",
    "x-forwarded-proto", "x-host", "x-forwarded-for",
])  # fmt: skip
def test_headers_of_proxies_change_nothing(client: TestClient, header: str) -> None:
    """They are believed from nobody but UNROLLED_TRUSTED_PROXIES, and that only for where a request comes from."""
    plain = client.get("/api/v1/limits")
    other = client.get("/api/v1/limits", headers={header: "evil.example"})
    assert other.status_code == plain.status_code == 200
    assert other.content == plain.content
    assert "evil" not in str(other.headers)
