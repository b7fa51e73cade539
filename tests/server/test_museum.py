"""The bug museum: its pages, the list, each exhibit from a compute process, and the finder."""

from __future__ import annotations

import html
import re

import pytest
from starlette.testclient import TestClient

from engine.museum import BUGS, exhibit
from engine.museum.source import MOST_CHARACTERS
from server import encoding, museum

FIND = "/api/v1/bugs/find"
LOOP = "for x, y in batches:\n    h = h.detach()\n    out, (h, c) = lstm(x, (h, c))\n    loss(out, y).backward()\n"


def test_the_list_names_every_exhibit_and_computes_none(client: TestClient) -> None:
    found = client.get("/api/v1/bugs").json()
    assert [entry["name"] for entry in found] == list(BUGS)
    fields = {"name", "title", "summary", "symptom", "error", "remedy", "framework", "met", "curve"}
    assert all(set(entry) == fields for entry in found)
    assert all(met["link"].startswith("https://") for entry in found for met in entry["met"])


@pytest.mark.parametrize("name", BUGS)
def test_an_exhibit_is_what_the_engine_says_with_its_programs(client: TestClient, name: str) -> None:
    response = client.get(f"/api/v1/bugs/{name}")
    assert response.status_code == 200
    assert response.content == encoding.encode_json(museum.answer(name))
    found, expected = response.json(), exhibit(name)
    assert found["sentence"] == expected.sentence
    assert found["maps"]["broken"]["values"] == expected.maps.broken.values.tolist()
    assert set(found["programs"]) == {"broken", "mended"}


@pytest.mark.parametrize("name", BUGS)
def test_the_changed_lines_are_those_that_the_other_program_lacks(name: str) -> None:
    pair = museum.programs(name)
    broken, mended = pair.broken.text.splitlines(), pair.mended.text.splitlines()
    kept = [line for n, line in enumerate(broken, 1) if n not in pair.broken.changed_lines]
    assert kept == [line for n, line in enumerate(mended, 1) if n not in pair.mended.changed_lines]
    assert pair.broken.changed_lines or pair.mended.changed_lines
    left, right = museum.side_by_side(name)
    assert len(left) == len(right)
    assert [line.text for line in left if line.number] == broken
    assert [line.text for line in right if line.number] == mended
    assert all(a.text == b.text for a, b in zip(left, right, strict=True) if not a.changed)


def test_an_exhibit_is_computed_once_and_then_kept(client: TestClient) -> None:
    first = client.get("/api/v1/bugs/state_grad")
    again = client.get("/api/v1/bugs/state_grad")
    assert again.headers["server-timing"].endswith('cache;desc="hit"')
    assert again.headers["etag"] == first.headers["etag"]
    unchanged = client.get("/api/v1/bugs/state_grad", headers={"if-none-match": first.headers["etag"]})
    assert unchanged.status_code == 304
    # an exhibit and a published result may have the same name
    assert client.get("/api/v1/agree/state_grad").headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/bugs/nothing", 404),
        ("/api/v1/bugs/find", 405),
        ("/api/v1/bugs/h_not_c?k=3", 422),
        ("/api/v1/bugs/h_not_c/", 404),
        ("/bugs/nothing", 404),
        ("/bugs/..%2f..%2fetc%2fpasswd", 404),
        ("/bugs/h_not_c.broken", 404),
    ],
)
def test_other_addresses(client: TestClient, address: str, status: int) -> None:
    response = client.get(address)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert "passwd" not in response.text or "root:" not in response.text


def test_a_name_that_is_nearly_right_is_told(client: TestClient) -> None:
    [problem] = client.get("/api/v1/bugs/h_not_d").json()["problems"]
    assert problem["remedy"] == "Did you mean h_not_c?"


def test_only_json_is_offered(client: TestClient) -> None:
    assert client.get("/api/v1/bugs/h_not_c", headers={"accept": "text/csv"}).status_code == 406


def test_the_list_page_shows_every_exhibit(client: TestClient) -> None:
    page = client.get("/bugs").text
    assert re.findall(r'data-bug="(\w+)"', page) == list(BUGS)
    assert all(f'href="/bugs/{name}"' in page for name in BUGS)
    assert 'href="/bugs"' in client.get("/").text


@pytest.mark.parametrize("name", BUGS)
def test_an_exhibits_page_has_its_texts_programs_and_links(client: TestClient, name: str) -> None:
    page = client.get(f"/bugs/{name}").text
    plain = html.unescape(re.sub(r"<[^>]+>", "", page))
    bug = BUGS[name]
    assert all(text in plain for text in (bug.title, bug.summary, bug.symptom, bug.error, bug.remedy))
    assert all(f'href="{html.escape(met.link)}"' in page for met in bug.met)
    for line in museum.programs(name).broken.text.splitlines():
        assert line in plain
    assert page.count('class="code-line changed"') == sum(
        line.changed and line.number > 0 for side in museum.side_by_side(name) for line in side)


def test_the_pages_load_only_their_own_files(client: TestClient) -> None:
    for address in ("/bugs", "/bugs/h_not_c"):
        page = client.get(address).text
        loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"([^\"]+)\"", page)
        assert loaded
        assert all(found.startswith("/static/") for found in loaded)
        assert all(client.get(found).status_code == 200 for found in loaded)


def test_the_finder_says_which_and_why(client: TestClient) -> None:
    response = client.post(FIND, json={"text": LOOP})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    found = response.json()
    assert found["suspects"][0]["name"] == "h_not_c"
    assert found["suspects"][0]["likely"] is True
    assert "detaches `h` but not `c`" in found["suspects"][0]["reasons"][0]


def test_the_finder_says_that_it_knows_none(client: TestClient) -> None:
    found = client.post(FIND, json={"text": "ModuleNotFoundError: No module named 'torch'"}).json()
    assert found["suspects"] == []
    assert found["sentence"].startswith("No exhibit here fits")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"text": ""}', 422),
        (b'{"text": "  "}', 422),
        (b'{"text": 3}', 422),
        (b'{"text": "x", "run": true}', 422),
        (b'{"text": "\\ud800"}', 400),
        (b'{"text": "' + b"x" * (MOST_CHARACTERS + 1) + b'"}', 422),
        (b"[" * 100_000, 400),
    ],
)
def test_what_the_finder_refuses(client: TestClient, body: bytes, status: int) -> None:
    response = client.post(FIND, content=body, headers={"content-type": "application/json"})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) < 2_000


def test_a_pasted_page_is_text_and_no_markup(client: TestClient) -> None:
    text = f"<script>alert(1)</script>\n{LOOP}".replace("lstm(x,", "lstm('<img src=x>',")
    response = client.post(FIND, json={"text": text})
    assert response.headers["content-type"] == "application/json"
    assert response.json()["suspects"][0]["name"] == "h_not_c"


def test_only_posts_of_json_are_read(client: TestClient) -> None:
    assert client.post(FIND, content="text=x", headers={"content-type": "text/plain"}).status_code == 415
