"""Pages are rendered once for all who open them within a second, and anew after that."""

from __future__ import annotations

import gzip

import pytest
from fastapi.testclient import TestClient

from server import rendered
from server.rendered import KEPT_SECONDS, Pages


def test_a_page_is_made_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, made = 100.0, []
    monkeypatch.setattr(rendered.time, "monotonic", lambda: now)
    pages = Pages()

    def render() -> str:
        made.append(now)
        return f"made at {now:g}"

    first = pages.get("one", render)
    assert gzip.decompress(first.compressed) == first.plain == b"made at 100"
    now += 0.9 * KEPT_SECONDS
    assert pages.get("one", render) is first
    assert pages.get("two", render).plain == b"made at 100.9"
    now += 0.1 * KEPT_SECONDS
    assert pages.get("one", render).plain == b"made at 101"
    assert len(made) == 3


def test_each_exhibit_keeps_its_own_page_and_each_visitor_gets_a_name(client: TestClient) -> None:
    names = [bug["name"] for bug in client.get("/api/v1/bugs").json()[:2]]
    assert len({client.get(f"/bugs/{name}").text for name in names}) == 2
    client.cookies.clear()
    first = client.get("/").cookies["unrolled_visitor"]
    client.cookies.clear()
    assert client.get("/").cookies["unrolled_visitor"] != first
