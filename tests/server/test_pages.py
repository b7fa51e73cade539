"""The page, its files, and the API's documentation, without anything from another host."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

import engine
from server import paths, themes
from server.app import create_app
from server.assets import PLOTLY_URL, Folder
from server.rendering import as_script, environment
from server.settings import Settings


def test_the_page_holds_the_catalogue(client: TestClient) -> None:
    page = client.get("/").text
    found = re.search(r'<script[^>]*id="catalogue"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    catalogue = json.loads(found[1])
    assert [option["name"] for option in catalogue["options"]] == list(engine.OPTION)
    assert PLOTLY_URL in page


def test_the_page_asks_no_other_host(client: TestClient) -> None:
    for address in ("/", "/api/docs"):
        page = client.get(address).text
        assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page)


def test_every_file_that_the_page_names_is_there(client: TestClient) -> None:
    page = client.get("/").text
    found = set(re.findall(r"""(?:src|href)=["'](/(?:static|vendor)/[^"'#]+)""", page))
    assert len(found) >= 3
    for address in found:
        response = client.get(address)
        assert response.status_code == 200, address
        assert "immutable" in response.headers["cache-control"], address


def test_plotly_is_sent_compressed_and_once(client: TestClient) -> None:
    packed = client.get(PLOTLY_URL, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert int(packed.headers["content-length"]) < 2_000_000
    assert packed.content == paths.PLOTLY.read_bytes()
    plain = client.get(PLOTLY_URL, headers={"accept-encoding": "gzip;q=0"})
    assert plain.content == packed.content
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fpyproject.toml",
        "../pyproject.toml",
        "%2e%2e/pyproject.toml",
        "css/../../pyproject.toml",
        "/etc/passwd",
        "css",
        "",
        "..%5c..%5cpyproject.toml",
        "css/tokens.css%00.js",
        "css//tokens.css",
        "%252e%252e/pyproject.toml",
        "....//pyproject.toml",
    ],
)
def test_no_name_leads_outside(client: TestClient, name: str) -> None:
    for version in ("x", "0123456789ab"):
        response = client.get(f"/static/{version}/{name}")
        assert response.status_code in (400, 404)
        assert b"[project]" not in response.content


def test_an_old_address_is_answered_but_not_kept(client: TestClient) -> None:
    response = client.get("/static/000000000000/css/tokens.css")
    assert response.headers["cache-control"] == "no-cache"


def test_a_file_is_there_before_any_page_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "favicon.svg").write_text("<svg/>")
    assert Folder(tmp_path).get("favicon.svg") is not None


def test_a_folder_notices_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("one " * 500)
    folder, late = Folder(tmp_path, look_seconds=0), Folder(tmp_path, look_seconds=600)
    before = folder.version
    asset = folder.get("a.js")
    assert asset is not None
    assert asset.compressed is not None
    assert gzip.decompress(asset.compressed) == asset.content
    (tmp_path / "a.js").write_text("two")
    assert folder.version != before
    assert late.version == before  # it has looked a moment ago
    changed = folder.get("a.js")
    assert changed is not None
    assert changed.content == b"two"
    assert folder.get("b.js") is None


def test_the_documentation_runs_only_its_own_script(client: TestClient) -> None:
    response = client.get("/api/docs")
    policy = response.headers["content-security-policy"]
    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/=]{44}';", policy)
    for address in re.findall(r'(?:src|href)="(/vendor/[^"]+)"', response.text):
        assert client.get(address).status_code == 200


def test_data_in_a_page_cannot_end_its_script() -> None:
    text = str(as_script({"a": "</script><!--<script>\u2028"}))
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!--<script>\u2028"}


def test_templates_escape_and_write_formulas() -> None:
    made = environment()
    assert made.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
    formula = made.from_string(r"{{ math('\\frac{\\partial L}{\\partial h_t}') }}").render()
    assert formula.startswith("<math")
    assert "<mfrac>" in formula


def test_colours_are_resolved_by_theme() -> None:
    light, dark = themes.tokens("light"), themes.tokens("dark")
    assert light["--full"] != dark["--full"]
    figure = {"line": {"color": "var(--full)"}, "list": ["var(--full)", 1], "free": "var(--unknown)"}
    assert themes.resolve(figure, "dark") == {
        "line": {"color": dark["--full"]}, "list": [dark["--full"], 1], "free": "var(--unknown)"}  # fmt: skip


def test_a_page_gives_a_visitor_a_name_once_and_the_name_is_charged(settings: Settings) -> None:
    app = create_app(settings)  # its life ends with this test
    with TestClient(app, base_url="http://localhost") as browser:
        first = browser.get("/")
        assert "httponly" in first.headers["set-cookie"].lower()
        assert "set-cookie" not in browser.get("/").headers
        assert "set-cookie" not in browser.get("/healthz").headers
        cookie = browser.cookies["unrolled_visitor"]
    visitors = app.state.services.visitors
    cookies = [f"unrolled_visitor={cookie}", "unrolled_visitor=forged", ""]
    asked = [
        Request({"type": "http", "headers": [(b"cookie", text.encode())], "client": ("10.1.2.3", 1)})
        for text in cookies
    ]
    named, forged, nobody = map(visitors.client, asked)
    assert named == (visitors.known(asked[0]), "10.1.2.0/24")
    assert forged == nobody == ("network 10.1.2.0/24", "10.1.2.0/24")
