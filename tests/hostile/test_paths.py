"""Names that would lead out of a folder, on every route that takes one: nothing outside is read, and no name of a
visitor's is ever opened, whatever comes of it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient
from starlette.types import Message

from server import paths as places
from server.store.opening import default_folder
from tests.engine.false_files import archive, npy
from tests.hostile.reading import load

PATHS: list[str] = load("paths")
ROUTES = ("/static/0/{}", "/static/{}/css/page.css", "/static/{}", "/vendor/api-docs/{}", "/vendor/{}", "/taps/{}",
          "/bugs/{}", "/train/{}", "/{}", "/api/v1/{}", "/api/v1/figures/{}", "/api/v1/agree/{}", "/api/v1/code/{}",
          "/api/v1/bugs/{}", "/api/v1/training/{}", "/api/v1/training/{}/report", "/api/v1/training/{}/events",
          "/api/v1/training/{}/moments/0-0/1")  # fmt: skip
QUERIES = ("/api/v1/analysis?text={}&task=text", "/api/v1/analysis?cell={}", "/api/v1/analysis?{}=1", "/?text={}",
           "/train?preset={}", "/api/v1/weights?convention={}", "/api/v1/traces?expect={}")  # fmt: skip
OUTSIDE = ("root:", "[project]", "def create_app", "BEGIN OPENSSH", "[core]", "SQLite format 3", "PATH=")
ALLOWED = (places.STATIC, places.TEMPLATES, places.API_DOCS, places.TAPS, Path(sys.prefix), Path(sys.base_prefix))


def short(name: str) -> str:
    return name if len(name) < 60 else f"{name[:20]}, {len(name)} characters"


opened: list[str] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if opened is not None and event in ("open", "os.listdir", "os.scandir", "subprocess.Popen", "socket.connect"):
        opened.append(str(arguments[0] if event != "socket.connect" else arguments[1]))


sys.addaudithook(_listen)  # it stays for the process: it does nothing but while `watched`


@contextmanager
def watched() -> Iterator[list[str]]:
    """Yields what is opened, listed, started or connected to meanwhile, in this process."""
    global opened
    opened = []
    try:
        yield opened
    finally:
        opened = None


async def ask(app: FastAPI, raw: str, method: str = "GET") -> tuple[int, bytes]:
    """Sends a path as it stands, which a client would have tidied up."""
    path, _, query = raw.partition("?")
    sent: list[Message] = []

    parts: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return parts.pop() if parts else await asyncio.Future()  # nobody leaves

    async def send(message: Message) -> None:
        sent.append(message)

    decoded = unquote_to_bytes(path).decode("utf-8", "replace")
    scope = {"type": "http", "method": method, "path": decoded, "raw_path": path.encode(), "root_path": "",
             "query_string": query.encode(), "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
             "scheme": "http", "server": ("localhost", 80), "http_version": "1.1"}  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def test_there_are_enough_and_no_route_with_a_name_is_left_out(app: FastAPI) -> None:
    assert len(PATHS) >= 50
    named = {re.sub(r"\{[^}]*\}", "{}", route.path or "") for route in iter_route_contexts(app.routes)
             if "{" in (route.path or "")}  # fmt: skip
    begun = {route.split("{}")[0] for route in ROUTES}
    assert {route.split("{}")[0] for route in named} <= begun


@pytest.fixture(scope="module", autouse=True)
def warm(client: TestClient, app: FastAPI) -> None:
    """What the server reads once, when it first needs it, has been read: its sources' fingerprint, its secret."""
    assert client.portal is not None
    for route in (*ROUTES, *QUERIES):
        client.portal.call(ask, app, route.replace("{}", "x"))


@pytest.mark.parametrize("name", PATHS, ids=short)
def test_a_name_that_leads_elsewhere(client: TestClient, app: FastAPI, name: str) -> None:
    assert client.portal is not None
    for route in (*ROUTES, *QUERIES):
        with watched() as seen:
            status, body = client.portal.call(ask, app, route.replace("{}", name))
        assert status < 500, route
        text = body.decode("utf-8", "replace")
        assert not any(word in text for word in OUTSIDE), route
        assert not [path for path in seen if not inside(path)], route


def inside(path: str) -> bool:
    """Returns whether something that was opened is the server's own: templates, a database, a device for nothing, how a
    process of its own stands (it looks at one that is slow to answer; no path of the corpus is called so)."""
    if path.isdigit() or path == "/dev/null" or re.fullmatch(r"/proc/[0-9]+/stat", path):
        return True
    folders = (*ALLOWED, default_folder(), places.HERE)
    found = Path(path).resolve()
    return any(found.is_relative_to(folder.resolve()) for folder in folders) or found.name.startswith("runs.sqlite3")


def test_what_is_opened_is_seen(tmp_path: Path) -> None:
    with watched() as seen:
        (tmp_path / "x").write_text("x")
    assert seen == [str(tmp_path / "x")]
    assert not inside(seen[0])


@pytest.mark.parametrize("name", [name for name in PATHS if len(name) < 200], ids=short)
def test_a_name_inside_an_archive_is_never_a_path(client: TestClient, name: str) -> None:
    """Files are known by names of ours: a member's is compared, and never opened."""
    member = unquote_to_bytes(name).decode("utf-8", "replace")
    try:
        body = archive({member or "x": npy(np.ones(1))})
    except (ValueError, UnicodeEncodeError):
        return  # zipfile itself writes no such name
    for path in ("/api/v1/weights", "/api/v1/traces"):
        response = client.post(path, content=body, headers={"content-type": "application/x-npz"})
        assert response.status_code == 422
        assert not any(word in response.text for word in OUTSIDE)
