"""What the tests of the training service share: a visitor with a cookie, small labs, and a stream that is read."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.server.live import Live, live

API = "/api/v1/training"
TINY: dict[str, Any] = {"hidden": 4, "batch": 4, "tokens": 2000, "seeds": 1, "evaluations": 2,
                        "strategies": [{"k": 5}, {"k": 5, "value": "reset"}]}  # fmt: skip
LONG = TINY | {"hidden": 32, "tokens": 5_000_000, "batch": 16}  # minutes of work


def within(seconds: float) -> float:
    """Returns the seconds that something may take here and now: more where others want the same cores."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextmanager
def served(folder: Path, **more: object) -> Iterator[Live]:
    """Yields a server with two training processes, as urgent as everything else, and one for all analyses, that keeps
    its runs in the folder."""
    few = {"workers": 1, "light_workers": 0, "training_workers": 2, "training_nice": 0}
    with live(**{**few, "data": folder, **more}) as server:
        yield server


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Visitor:
    """Somebody who keeps cookies, as a browser does."""

    port: int
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = self._headers() | headers
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            raw = answer.read()
            got = {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
        if "set-cookie" in got:
            self.cookie = got["set-cookie"].split(";")[0]
        is_json = "json" in got.get("content-type", "")
        return Answer(answer.status, got, json.loads(raw) if is_json else raw)

    def start(self, lab: dict[str, Any] | None = None, **options: Any) -> str:
        """Starts a run, and returns its id."""
        answer = self.ask("POST", API, (lab or TINY) | options)
        assert answer.status == 201, answer.body
        return str(answer.body["id"])

    def run(self, id: str) -> dict[str, Any]:
        answer = self.ask("GET", f"{API}/{id}")
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def control(self, id: str, action: str, **more: Any) -> Answer:
        return self.ask("POST", f"{API}/{id}/control", {"action": action, **more})

    def until(self, id: str, *statuses: str, seconds: float = 60) -> dict[str, Any]:
        """Returns the run once it has one of these statuses."""
        end = time.monotonic() + seconds
        while (run := self.run(id))["status"] not in statuses:
            assert time.monotonic() < end, (run["status"], run["note"], run["tokens"])
            time.sleep(0.02)
        return run

    def trained(self, id: str, tokens: int, seconds: float = 60) -> dict[str, Any]:
        """Returns the run once it has been trained on so many tokens."""
        end = time.monotonic() + seconds
        while (run := self.run(id))["tokens"] < tokens:
            assert time.monotonic() < end, (run["status"], run["note"], run["tokens"])
            time.sleep(0.02)
        return run

    def events(self, id: str) -> list[dict[str, Any]]:
        """Returns every stored event of a run, without a stream."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask("GET", f"{API}/{id}/points?after={found[-1]['id'] if found else 0}").body
            found += page["events"]
            if not page["more"]:
                return found

    @contextmanager
    def stream(self, id: str, after: int = 0, **headers: str) -> Iterator[Stream]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", f"{API}/{id}/events?after={after}", headers=self._headers() | headers)
        answer = connection.getresponse()
        try:
            yield Stream(answer)
        finally:
            answer.close()
            connection.close()

    def _headers(self) -> dict[str, str]:
        return self.headers | ({"Cookie": self.cookie} if self.cookie else {})


class Stream:
    """An open stream of events."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.answer, self.status = answer, answer.status

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yields events until the server ends the stream."""
        lines: dict[str, str] = {}
        while raw := self.answer.readline():
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                lines[name] = value
            elif "data" in lines:
                yield {"id": int(lines.get("id", 0)), "event": lines["event"], "data": json.loads(lines["data"])}
                lines = {}

    def take(self, count: int) -> list[dict[str, Any]]:
        """Returns the next so many events, fewer if the stream ends."""
        return [event for event, _ in zip(self, range(count), strict=False)]


def numbers(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Returns of every lane what it computed, in order; seconds, which no two runs share, left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event["event"] in ("point", "moment", "lane"):
            data = {name: value for name, value in event["data"].items() if name != "seconds"}
            found.setdefault(data["lane"], []).append({"event": event["event"], **data})
    return found


def visitor(server: Live) -> Visitor:
    """Returns somebody new."""
    return Visitor(server.port)


def trainers(server: Live) -> list[int]:
    """Returns the ids of the training processes."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    named = {int(line.split()[0]) for line in listed.splitlines() if "server.training.worker" in line}
    return [pid for pid in server.children() if pid in named]
