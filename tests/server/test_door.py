"""The passphrase: a page that asks, a cookie, a Bearer token; what is open without it, and how it may be guessed."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from starlette.testclient import TestClient

from engine import InputError
from server import logs
from server.app import create_app
from server.door import _as_sent, own
from server.guesses import MOST_NETWORKS, OF_ALL, OF_ONE, SPAN, Guesses
from server.passphrase import COOKIE, Passphrase, passphrase_of
from server.secret import secret_of
from server.settings import Settings

SECRET = "correct horse / battery & staple ü"
HTML = {"accept": "text/html,*/*;q=0.8"}
SMALL = "/api/v1/analysis?steps=8&hidden=4&batch=1"
PATHS = ["/", "/train", "/bugs", "/enter2", "/readyz", "/metrics", "/static/x/css/page.css", "/favicon.ico", SMALL,
         "/api/v1/limits", "/api/v1/openapi.json", "/healthz/", "/HEALTHZ", "//healthz", "/%2e/healthz"]  # fmt: skip


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(workers=1, light_workers=0, passphrase=SECRET)


@pytest.fixture
def client(settings: Settings) -> TestClient:
    return TestClient(create_app(settings), base_url="http://localhost", follow_redirects=False)


@pytest.fixture(scope="module")
def running(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url="http://localhost", follow_redirects=False) as found:
        yield found


def enter(client: TestClient, passphrase: str = SECRET, further: str = "/?k=5") -> Any:
    return client.post("/enter", data={"passphrase": passphrase, "further": further})


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_open_but_healthz(client: TestClient, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE"):
        response = client.request(method, path)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["cache-control"] == "no-store"
        assert "set-cookie" not in response.headers
    assert client.get("/healthz").status_code == 200


def test_a_browser_is_asked_and_goes_where_it_wanted(running: TestClient) -> None:
    page = running.get("/?k=5&text=%22%3E%3Cscript%3E", headers=HTML)
    assert page.status_code == 401
    assert "content-security-policy" in page.headers
    assert 'type="password"' in page.text
    assert "<script" not in page.text
    (further,) = re.findall(r'name="further" value="([^"]*)"', page.text)
    entered = enter(running, further=further.replace("&amp;", "&"))
    assert (entered.status_code, entered.headers["location"]) == (303, "/?k=5&text=%22%3E%3Cscript%3E")
    cookie = entered.headers["set-cookie"]
    assert re.search(r"^unrolled_entry=[\w.-]+; HttpOnly; Max-Age=604800; Path=/; SameSite=Lax$", cookie)
    assert SECRET not in cookie
    assert running.get("/?k=5", headers=HTML).status_code == 200
    answer = running.get(SMALL)
    assert answer.headers["cache-control"] == "private, max-age=3600"
    running.cookies.clear()
    assert running.get(SMALL).status_code == 401


@pytest.mark.parametrize("given", ["", SECRET[:-1], SECRET + " ", SECRET.upper(), "\ud800", "x" * 10_000])
def test_a_wrong_passphrase_is_said_so(client: TestClient, given: str) -> None:
    response = enter(client, given.encode("utf-8", "replace").decode())
    assert response.status_code == 401
    assert "That was not the passphrase." in response.text
    assert "set-cookie" not in response.headers


def test_a_program_bears_it(running: TestClient) -> None:
    for encoding in ("utf-8", "latin-1"):
        headers = {"authorization": b"Bearer " + SECRET.encode(encoding)}
        assert running.get(SMALL, headers=headers).status_code == 200
    assert running.get(SMALL, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert running.get(SMALL, headers={"authorization": "Basic wrong"}).status_code == 401


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_header_is_read_as_it_was_sent(encoding: str) -> None:
    assert _as_sent(SECRET.encode(encoding).decode("latin-1")) == SECRET  # a server reads every header as Latin-1


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%ff", b"&".join([b"a=1"] * 9), b"x" * 20_000])
def test_a_form_that_is_none(client: TestClient, body: bytes) -> None:
    response = client.post("/enter", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert response.status_code in (400, 413)
    assert client.post("/enter", json={}).status_code == 415
    assert client.get("/enter").headers["location"] == "/"


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=y",
     "/\t/evil.example", "", "evil.example", "/a b", "\\\\evil.example", "/a\\..\\b"],
)  # fmt: skip
def test_it_leads_nowhere_else(client: TestClient, address: str) -> None:
    assert enter(client, further=address).headers["location"] == "/"


def test_an_address_of_ours_is_kept() -> None:
    assert own("/train/00?a=%2F%2Fb#c") == "/train/00?a=%2F%2Fb#c"


def test_another_sites_page_may_not_enter(client: TestClient) -> None:
    form = {"passphrase": SECRET}
    assert client.post("/enter", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/enter", data=form, headers={"origin": "null"}).status_code == 403


def test_cookies_of_others_are_worth_nothing(client: TestClient, settings: Settings) -> None:
    other = Passphrase(settings.model_copy(update={"passphrase": Settings(passphrase="another one").passphrase}))
    plain = TimestampSigner(secret_of(settings), "entry", digest_method=hashlib.sha256).sign("entered").decode()
    late = Passphrase(settings)
    late._sign().get_timestamp = lambda: 1  # type: ignore[method-assign]
    forged = [value._sign().sign("entered").decode() for value in (other, late)]
    for cookie in ["entered", "", plain, *forged]:
        assert client.get(SMALL, headers={"cookie": f"{COOKIE}={cookie}"}).status_code == 401


def test_guesses_are_bounded(client: TestClient) -> None:
    statuses = [enter(client, f"guess {n}").status_code for n in range(OF_ONE + 5)]
    assert statuses == [401] * OF_ONE + [429] * 5
    held = enter(client)
    assert held.status_code == 429
    assert 1 <= int(held.headers["retry-after"]) <= SPAN
    assert "set-cookie" not in held.headers
    bearing = client.get(SMALL, headers={"authorization": "Bearer x"})
    assert bearing.status_code == 429
    assert client.get("/", headers=HTML).status_code == 401  # the page still asks, and who has entered stays in


def test_guesses_are_counted_for_each_network_and_for_all() -> None:
    guesses = Guesses()
    for n in range(OF_ONE):
        assert guesses.wait("a", 0.1 * n) == 0
        guesses.wrong("a", 0.1 * n)
    assert guesses.wait("a", 10) == SPAN - 10
    assert guesses.wait("b", 10) == 0
    assert guesses.wait("a", SPAN) == 0
    for n in range(OF_ALL):
        guesses.wrong(f"network {n}", 20)
    assert guesses.wait("c", 30) == SPAN - 10
    for n in range(MOST_NETWORKS + 10):
        guesses.wrong(f"network {n}", 1000.0 * n)
    assert len(guesses._each) == MOST_NETWORKS


def test_what_is_promised_in_figures() -> None:
    """Twenty guesses a minute from a network, 200 from all; ten thousand networks are remembered."""
    one, every = Guesses(), Guesses()
    for _ in range(20):
        assert one.wait("a", 0.0) == 0
        one.wrong("a", 0.0)
    assert (one.wait("a", 0.0), one.wait("a", 59.5), one.wait("a", 60.0)) == (60.0, 0.5, 0.0)
    for n in range(200):
        assert every.wait("another", 0.0) == 0
        every.wrong(f"network {n}", 0.0)
    assert every.wait("another", 0.0) == 60.0
    for n in range(10_001):
        every.wrong(f"network {n}", 1.0)
    assert len(every._each) == 10_000
    assert "network 0" not in every._each


@pytest.mark.parametrize(("age", "known"), [(0, True), (7 * 86_400 - 60, True), (7 * 86_400 + 60, False)])
def test_a_cookie_is_good_for_a_week(settings: Settings, age: int, known: bool) -> None:
    held = Passphrase(settings)
    signer, now = held._sign(), held._sign().get_timestamp()
    signer.get_timestamp = lambda: now - age  # type: ignore[method-assign]
    cookie = signer.sign("entered").decode()
    assert Passphrase(settings).entered(cookie) is known


@pytest.mark.parametrize("length", [8, 256])
def test_the_shortest_and_the_longest_passphrase(length: int) -> None:
    assert passphrase_of(Settings(passphrase="ü" * length)) == "ü" * length
    with pytest.raises(InputError):
        passphrase_of(Settings(passphrase="ü" * (length - 1 if length == 8 else length + 1)))


def test_no_more_of_a_file_is_read_than_could_be_a_passphrase(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("long enough\n" + "x" * 4084 + "and more")
    assert passphrase_of(Settings(passphrase_file=str(file))) == "long enough"
    file.write_bytes(b"long enough\n" + b"x" * 4084 + b"\xff")  # no text, and not looked at
    assert passphrase_of(Settings(passphrase_file=str(file))) == "long enough"


def test_it_is_in_no_log_and_in_no_representation(
    client: TestClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        logs.log.setLevel(logging.INFO)
        enter(client)
        enter(client, "a wrong guess")
        client.get("/api/v1/limits", headers={"authorization": b"Bearer " + SECRET.encode("latin-1")})
    assert "/enter" in caplog.text
    assert SECRET not in caplog.text + repr(settings) + client.get("/api/v1/limits").text
    assert "guess" not in caplog.text


def test_it_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("from a file\r\nand more\n")
    assert passphrase_of(Settings(passphrase_file=str(file))) == "from a file"
    assert passphrase_of(Settings()) == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [("short", "8 to 256"), ("x" * 257, "8 to 256"), ("a\tb c d e f", "printable")],
)
def test_one_that_cannot_be_used(given: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        passphrase_of(Settings(passphrase=given))
    assert given not in str(caught.value)


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff\xfe\xff\xfe")
    (tmp_path / "empty").write_bytes(b"")
    for name, said in (("none", "No such file"), ("binary", "UTF-8"), ("empty", "0 characters")):
        with pytest.raises(InputError, match=said):
            passphrase_of(Settings(passphrase_file=str(tmp_path / name)))
    with pytest.raises(InputError, match="one of the two"):
        passphrase_of(Settings(passphrase="long enough", passphrase_file="x"))
