"""Traces over HTTP: read and drawn, streamed to disk and counted, refused with reasons, and gone afterwards."""

from __future__ import annotations

import json
import os
import re
import tempfile
import urllib.request
from asyncio import Semaphore
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import engine
from engine.recorded import trace_of, write_trace
from scripts.shell import ROOT
from server.app import create_app
from server.figures.credit import figure as explored
from server.settings import Settings
from server.traces.makers import MAKERS, Maker
from server.traces.receiving import remove_left
from tests.engine.false_traces import FALSE, fields, given, trace
from tests.engine.recorded_traces import RNN, meta
from tests.engine.test_recorded import file_of
from tests.server.live import live

TRACES = "/api/v1/traces"
NPZ = "application/x-npz"
STEPS = 100_000


def send(client: TestClient, body: Any, query: str = "", media: str = NPZ, accept: str = "application/json") -> Any:
    return client.post(f"{TRACES}{query}", content=body, headers={"content-type": media, "accept": accept})


def refused(response: Any, status: int = 422) -> str:
    """Returns what is said of a file that is refused, after what holds for every refusal."""
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    found = response.json()["problems"]
    assert all(all(problem[part] for part in ("field", "value", "limit", "remedy")) for problem in found)
    assert "Traceback" not in response.text
    assert len(response.content) < 4096
    return " ".join(" ".join(problem.values()) for problem in found)


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files; it is empty before and after."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("media", [NPZ, "application/zip", "application/octet-stream"])
def test_a_trace_is_tested_said_and_drawn(client: TestClient, media: str, left: Path) -> None:
    response = send(client, trace(), media=media)
    assert response.status_code == 200
    found = response.json()
    assert found["agrees"] is True
    assert found["sentences"][0] == "The loss at step 11 reaches step 8 and no further."
    assert found["reach"]["found"] == [s // 4 * 4 for s in range(12)]
    assert found["about"]["rows"] == ["lstm.l0.c", "lstm.l0.h"]
    assert found["short"] == {"lstm.l0.c": "c", "lstm.l0.h": "h"}
    assert set(found["figures"]) == {"loss", "staircase", "credit:lstm.l0.c", "credit:lstm.l0.h", "grad", "state"}
    assert all(name in found["captions"] for name in found["figures"])
    assert not list(left.iterdir())
    assert "etag" not in response.headers


def test_another_expectation_is_asked_in_the_address(client: TestClient) -> None:
    found = send(client, trace(), "?expect=window:6").json()
    assert found["agrees"] is False
    assert found["reach"]["title"] == "window(6)"
    assert found["reach"]["fits_title"] == "window(4)"
    assert send(client, trace(), "?expect=window:4,carry").json()["agrees"] is True


@pytest.mark.parametrize(("query", "status", "said"), [
    ("?expect=windw:4", 422, "window:K"), ("?expect=", 422, "window:K"),
    ("?expect=full&expect=full", 422, "may be given once"),
    ("?expct=full", 422, "Did you mean expect?"), ("?expect=window:%ff", 400, "query"),
])  # fmt: skip
def test_an_address_that_does_not_fit(client: TestClient, query: str, status: int, said: str) -> None:
    assert said in refused(send(client, trace(), query), status)


@pytest.mark.parametrize("name", FALSE)
def test_a_false_trace(client: TestClient, name: str, left: Path) -> None:
    file, said = FALSE[name]
    assert said in refused(send(client, file))
    assert not list(left.iterdir())


@pytest.mark.parametrize("media", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_files_are_taken(client: TestClient, media: str) -> None:
    assert NPZ in refused(send(client, b"x", media=media), 415)


def test_the_engines_own_picture_is_the_same(client: TestClient) -> None:
    """The credit of an analysis, sent as a trace, has the same cells and the same staircase as Explore's."""
    analysis = engine.analyze(engine.parse({"style": "window", "k": 15, "hidden": 8}))
    found = send(client, write_trace(*trace_of(analysis))).json()
    assert analysis.credit is not None
    ours = {part["uid"]: part for part in found["figures"]["credit:h"]["data"]}
    theirs = {part["uid"]: part for part in explored(analysis)["data"]}
    z = np.array([[np.nan if cell is None else cell for cell in row] for row in ours["matrix"]["z"]])
    steps, kept = np.arange(60), np.array(theirs["matrix"]["z"])
    inside = (steps[None, :] >= analysis.plan.reach[:, None]) & (steps[None, :] <= steps[:, None])
    assert np.allclose(z[inside], kept[inside])
    assert ours["expected"]["x"] == theirs["reach"]["x"].tolist() == ours["found"]["x"]
    assert ours["expected"]["y"] == theirs["reach"]["y"].tolist()


def test_the_page_reads_the_binary_form(client: TestClient) -> None:
    response = send(client, trace(), accept="application/vnd.unrolled.bin")
    assert response.content[:4] == b"UNR1"
    length = int.from_bytes(response.content[4:8], "little")
    header = json.loads(response.content[8 : 8 + length])
    assert header["figures"]["credit:lstm.l0.h"]["data"][0]["z"]["$array"]["shape"] == [12, 12]


def pieces(size: int) -> Iterator[bytes]:
    for at in range(0, size, 2**20):
        yield bytes(min(2**20, size - at))


def test_a_file_that_is_too_large_is_refused_while_it_comes(left: Path) -> None:
    with TestClient(create_app(Settings(workers=1, light_workers=0, trace_bytes=2**20)),
                    base_url="http://localhost") as client:
        assert "at most 1048576 bytes" in refused(send(client, pieces(2**20 + 1)), 413)
        assert "at most 1048576 bytes" in refused(send(client, bytes(2**20 + 1)), 413)
        assert "whole zip archive" in refused(send(client, pieces(2**20)))
    assert not list(left.iterdir())


def test_what_a_killed_server_left_is_removed_and_nothing_else(left: Path) -> None:
    old, new, other = (left / name for name in ("unrolled-a.trace", "unrolled-b.trace", "somebody.trace"))
    for path in (old, new, other):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    remove_left()
    assert sorted(left.iterdir()) == sorted([new, other])


def test_only_so_many_are_on_the_disk_at_the_same_time(client: TestClient, app: FastAPI) -> None:
    kept, app.state.services = app.state.services, replace(app.state.services, traces=Semaphore(0))
    try:
        response = send(client, trace())
    finally:
        app.state.services = kept
    assert "no more are taken" in refused(response, 503)
    assert int(response.headers["retry-after"]) >= 1
    assert send(client, trace()).status_code == 200


def test_a_full_disk_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.fail("this test needs /dev/full")
    monkeypatch.setattr("server.traces.receiving._made", lambda: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    assert "no room left" in refused(send(client, trace()), 503)


def test_a_traces_own_names_are_text(client: TestClient) -> None:
    """What a trace calls its rows comes back as text; Plotly would read tags in it, so the figures have none."""
    rows = ["<b>h</b>", '<a href="javascript:alert(1)">c</a>']
    found = send(client, trace(fields(rows=rows, notes=["<script>alert(1)</script>"]))).json()
    assert found["about"]["rows"] == rows
    named = [part["name"] for figure in found["figures"].values() for part in figure["data"] if "name" in part]
    assert "\u2039b>h\u2039/b>" in named
    assert not [name for name in named if "<" in name]


def big_trace(rows: int = 1) -> bytes:
    """A trace of 100,000 steps and 150 losses: about 75 MB of credit and connected together."""
    losses = np.arange(99, STEPS, STEPS // 150)[:150]
    lag = losses[:, None] - np.arange(STEPS)[None, :]
    connected = ((lag >= 0) & (np.arange(STEPS)[None, :] >= losses[:, None] // 1000 * 1000)).astype(np.uint8)[None]
    credit = connected.astype(np.float32) * 0.5
    found = {"loss": np.ones(STEPS, np.float32), "losses": losses, "connected": connected, "credit": credit}
    return file_of(meta(RNN, list(range(0, STEPS, 1000)), {"style": "window", "k": 1000}), found)


def test_a_large_trace_takes_little_memory() -> None:
    """Neither the front process nor a compute process grows by more than a fraction of the file."""
    file = big_trace()
    assert len(file) > 70 * 2**20
    with live(workers=1, light_workers=0) as server:
        before = _most(server.process.pid), [_most(pid) for pid in server.children()]
        status, found = _post(f"http://127.0.0.1:{server.port}{TRACES}", file)
        after = _most(server.process.pid), [_most(pid) for pid in server.children()]
    assert status == 200
    assert found["agrees"] is True
    assert (found["steps"], found["stride"]) == (STEPS, 50)
    assert len(found["credit"]["rnn.l0.h"]["h"]) == 150
    assert after[0] - before[0] < 24 * 2**20
    assert after[1][0] - before[1][0] < 64 * 2**20


def _post(address: str, file: bytes) -> tuple[int, Any]:
    asked = urllib.request.Request(address, file, {"Content-Type": NPZ})
    with urllib.request.urlopen(asked, timeout=120) as answer:
        return answer.status, json.load(answer)


def _most(pid: int) -> int:
    """Returns the most memory that a process has had resident so far, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the system does not say how much memory the process has had")


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.name)
def test_what_the_page_says_to_copy_is_what_the_tap_says(maker: Maker) -> None:
    text = (ROOT / "taps" / maker.file).read_text(encoding="utf-8")
    named = re.findall(r"\btap\.(\w+)\(", maker.lines + maker.after)
    assert maker.lines.splitlines()[0] in text
    assert 3 <= len([line for line in maker.lines.splitlines() if line]) <= 4
    assert all(f"    def {name}(" in text for name in named)


def test_a_file_with_every_array_has_every_picture(client: TestClient) -> None:
    rng = np.random.default_rng(0)
    more = {"norm_before": rng.random((3, 2)) + 1, "norm_after": np.full((3, 2), 0.5), "memory": np.arange(3) * 2.0**20}
    found = send(client, trace(fields(parameters=["a", "b"]), given(**more))).json()
    assert {"parameters", "memory"} <= set(found["figures"])
    assert found["captions"]["parameters"].startswith("Clipping shortens the gradient in 3 of 3 updates.")
    said = "From 0 MiB at the first update to 2 MiB at the last: it grows by 1 MiB an update."
    assert found["captions"]["memory"] == said
    assert found["parameters"]["names"] == ["a", "b"]
    assert found["updates"]["first"] == [0, 1, 2]
