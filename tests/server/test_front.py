"""deploy/nginx.conf, with the real nginx before real servers: kept, computed once, compressed, streams as they come."""

from __future__ import annotations

import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse
from typing import Any

import pytest
from pydantic import ValidationError

from scripts.nginx import front
from server.settings import Settings
from tests.server.live import Live, live

ANALYSIS = "/api/v1/analysis?steps=60&hidden=16&batch=4&certificate=false"
LAB = {"task": "text", "hidden": 8, "batch": 4, "tokens": 200_000, "seeds": 1, "evaluations": 8,
       "strategies": [{"style": "window", "k": 5}]}  # fmt: skip


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Live, Live]]:
    with ExitStack() as both:
        one, other = (
            both.enter_context(live(workers=1, light_workers=0, trusted_proxies="127.0.0.1")) for _ in range(2)
        )
        yield one, other


@pytest.fixture(scope="module")
def address(servers: tuple[Live, Live]) -> Iterator[str]:
    with front(*(server.port for server in servers)) as found:
        yield found


def ask(url: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer, answer.read()


def computed(servers: tuple[Live, Live]) -> float:
    """Returns how many analyses all servers together have computed."""
    total = 0.0
    for server in servers:
        _, body = ask(f"http://127.0.0.1:{server.port}/metrics")
        lines = [line for line in body.decode().splitlines() if line.startswith("unrolled_compute_seconds_count{")]
        total += sum(float(line.split()[-1]) for line in lines)
    return total


def test_an_answer_is_kept_and_the_same(address: str, servers: tuple[Live, Live]) -> None:
    first, body = ask(f"{address}{ANALYSIS}&seed=1")
    second, again = ask(f"{address}{ANALYSIS}&seed=1")
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
    assert body == again
    direct, plain = ask(f"http://127.0.0.1:{servers[0].port}{ANALYSIS}&seed=1")
    known, there = json.loads(plain), json.loads(body)
    known.pop("engine_ms"), there.pop("engine_ms")
    assert there == known
    assert first.headers["etag"].removeprefix("W/") == direct.headers["etag"]
    for name in ("content-security-policy", "x-content-type-options"):
        assert first.headers[name] == direct.headers[name]


def test_the_same_question_of_many_at_once_is_computed_once(address: str, servers: tuple[Live, Live]) -> None:
    before = computed(servers)
    with ThreadPoolExecutor(16) as pupils:
        found = list(pupils.map(lambda _: ask(f"{address}{ANALYSIS}&seed=2")[1], range(16)))
    assert len(set(found)) == 1
    assert computed(servers) - before == 1


def test_each_form_of_an_answer_is_kept_for_itself(address: str) -> None:
    url = f"{address}{ANALYSIS}&seed=3"
    for _ in range(2):
        assert ask(url)[0].headers["content-type"] == "application/json"
        assert ask(url, accept="text/csv")[0].headers["content-type"].startswith("text/csv")
        assert ask(url, accept="application/vnd.unrolled.bin")[1][:4] == b"UNR1"


def test_what_is_large_is_compressed_for_those_who_take_it(address: str) -> None:
    url = f"{address}{ANALYSIS}&seed=4"
    plain = ask(url)[1]
    small, packed = ask(url, **{"accept-encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2


@pytest.mark.parametrize("value", ["*", "localhost", "10.0.0.0/33"])
def test_only_addresses_are_trusted_as_proxies(value: str) -> None:
    with pytest.raises(ValidationError):
        Settings(trusted_proxies=value)
    assert Settings(trusted_proxies="127.0.0.1, 10.0.0.0/8").trusted_proxies == ("127.0.0.1", "10.0.0.0/8")


def test_refusals_are_not_kept(address: str) -> None:
    url = f"{address}/api/v1/analysis?k=0"
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(url)
        with refused.value as answer:
            assert answer.code == 422
            assert answer.headers["x-cache"] != "HIT"
            assert json.load(answer)["problems"][0]["field"] == "k"


def post(url: str, value: Any) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(value).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_events_come_one_by_one_and_not_all_at_the_end(servers: tuple[Live, Live]) -> None:
    with front(servers[0].port) as address:  # runs are in the folder of one server here
        run = post(f"{address}/api/v1/training", LAB)
        with urllib.request.urlopen(f"{address}/api/v1/training/{run['id']}/events", timeout=60) as stream:
            arrivals = [time.monotonic() for line in stream if line.startswith(b"id:")]
    assert len(arrivals) > 3
    assert arrivals[-1] - arrivals[0] > 0.2
