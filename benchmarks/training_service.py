"""The training service: two strategies at once beside one, the first point, the end of a run; through a real server."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from http.cookiejar import CookieJar
from typing import Any
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from benchmarks.timing import machine
from scripts.running import running

ROUNDS, SECONDS, SETTLED = 9, 3.0, 1.0
LAB: dict[str, Any] = {"hidden": 64, "batch": 16, "tokens": 20_000_000, "seeds": 1, "evaluations": 1}
ONE = [{"k": 20}]
TWO = [{"k": 20}, {"k": 20, "value": "reset"}]


class Client:
    """A visitor with a cookie."""

    def __init__(self, address: str) -> None:
        self._api = f"{address}/api/v1/training"
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        self._opener.open(f"{address}/train").read()

    def ask(self, path: str = "", body: Any = None, method: str = "GET") -> Any:
        content = None if body is None else json.dumps(body).encode()
        asked = Request(self._api + path, content, {"Content-Type": "application/json"}, method=method)
        with self._opener.open(asked) as got:
            return json.loads(got.read() or b"null")


def rates(client: Client, strategies: list[dict[str, Any]]) -> tuple[float, float]:
    """Returns the tokens of all lanes of a run together for each second, once it has settled: by the clock on the
    wall, and for each second that its processes computed. The first needs cores that are free, the second does not."""
    run = client.ask("", LAB | {"strategies": strategies}, "POST")["id"]
    time.sleep(SETTLED)
    begun, before = time.perf_counter(), client.ask(f"/{run}")
    time.sleep(SECONDS)
    after, elapsed = client.ask(f"/{run}"), time.perf_counter() - begun
    client.ask(f"/{run}", method="DELETE")
    trained = after["tokens"] - before["tokens"]
    return trained / elapsed, trained / (after["seconds"] - before["seconds"])


def latencies(client: Client) -> tuple[float, float]:
    """Returns the seconds from a POST to the first stored point, and those that a DELETE takes."""
    begun = time.perf_counter()
    run = client.ask("", LAB | {"strategies": TWO}, "POST")["id"]
    while not any(event["event"] == "point" for event in client.ask(f"/{run}/points")["events"]):
        time.sleep(0.005)
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    client.ask(f"/{run}", method="DELETE")
    return first, time.perf_counter() - begun


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as folder, running(os.environ | {"UNROLLED_DATA": folder}) as address:
        client = Client(address)
        time.sleep(SETTLED)
        pairs = [(rates(client, ONE), rates(client, TWO)) for _ in range(ROUNDS)]
        for one, two in pairs:
            print(f"one strategy {one[0]:,.0f} tokens/s, two {two[0]:,.0f}: {two[0] / one[0]:.2f} times")
        print(f"median {statistics.median(two[0] / one[0] for one, two in pairs):.2f} times")
        same = statistics.median(two[1] / one[1] for one, two in pairs)
        print(f"tokens for each second of computing, two beside one: {100 * same:.0f} %")
        times = [latencies(client) for _ in range(10)]
        for name, values in zip(("first point stored", "cancelled"), zip(*times, strict=True), strict=True):
            print(f"{name}: median {1000 * statistics.median(values):.0f} ms, at most {1000 * max(values):.0f} ms")


if __name__ == "__main__":
    main()
