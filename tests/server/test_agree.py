"""Does it agree?: the page, the list, and each result from a compute process."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from engine.published import RESULTS, reproduce
from server import encoding

QUICK = [name for name in RESULTS if name not in ("trained_bits", "below_the_lag")]


def test_the_list_names_every_result_and_computes_none(client: TestClient) -> None:
    found = client.get("/api/v1/agree").json()
    assert [entry["name"] for entry in found] == list(RESULTS)
    assert all(entry["source"]["link"].startswith("https://") for entry in found)
    assert all(set(entry) == {"name", "title", "source", "claim"} for entry in found)


@pytest.mark.parametrize("name", QUICK)
def test_a_result_is_what_the_engine_says(client: TestClient, name: str) -> None:
    response = client.get(f"/api/v1/agree/{name}")
    assert response.status_code == 200
    assert response.json()["agrees"] is True
    assert response.content == encoding.encode_json(reproduce(name))


def test_a_result_is_computed_once_and_then_kept(client: TestClient) -> None:
    first = client.get("/api/v1/agree/state_grad")
    again = client.get("/api/v1/agree/state_grad")
    assert again.headers["server-timing"].endswith('cache;desc="hit"')
    assert again.headers["etag"] == first.headers["etag"]
    unchanged = client.get("/api/v1/agree/state_grad", headers={"if-none-match": first.headers["etag"]})
    assert unchanged.status_code == 304


def test_each_result_has_a_tag_of_its_own(client: TestClient) -> None:
    tags = {client.get(f"/api/v1/agree/{name}").headers["etag"] for name in QUICK}
    assert len(tags) == len(QUICK)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/agree/nothing", 404),
        ("/api/v1/agree/../limits", 200),
        ("/api/v1/agree/state_grad?k=3", 422),
        ("/api/v1/agree/state_grad/", 404),
    ],
)
def test_other_addresses(client: TestClient, address: str, status: int) -> None:
    response = client.get(address)
    assert response.status_code == status
    if status != 200:
        assert response.headers["content-type"] == "application/problem+json"


def test_only_json_is_offered(client: TestClient) -> None:
    assert client.get("/api/v1/agree/state_grad", headers={"accept": "text/csv"}).status_code == 406


def test_the_page_shows_every_result_with_its_source(client: TestClient) -> None:
    page = client.get("/agree").text
    assert re.findall(r'data-result="(\w+)"', page) == list(RESULTS)
    for about in RESULTS.values():
        assert f'href="{about.source.link}"' in page
    assert 'href="/agree"' in client.get("/").text


def test_the_page_loads_only_its_own_files(client: TestClient) -> None:
    page = client.get("/agree").text
    loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"([^\"]+)\"", page)
    assert loaded
    assert all(address.startswith("/static/") for address in loaded)
    assert all(client.get(address).status_code == 200 for address in loaded)
