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


def rate(client: Client, strategies: list[dict[str, Any]]) -> float:
    """Returns the tokens a second of all lanes of a run together, once it has settled."""
    run = client.ask("", LAB | {"strategies": strategies}, "POST")["id"]
    time.sleep(SETTLED)
    begun, first = time.perf_counter(), client.ask(f"/{run}")["tokens"]
    time.sleep(SECONDS)
    trained = (client.ask(f"/{run}")["tokens"] - first) / (time.perf_counter() - begun)
    client.ask(f"/{run}", method="DELETE")
    return float(trained)


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
        pairs = [(rate(client, ONE), rate(client, TWO)) for _ in range(ROUNDS)]
        for one, two in pairs:
            print(f"one strategy {one:,.0f} tokens/s, two {two:,.0f}: {two / one:.2f} times")
        print(f"median {statistics.median(two / one for one, two in pairs):.2f} times")
        times = [latencies(client) for _ in range(10)]
        for name, values in zip(("first point stored", "cancelled"), zip(*times, strict=True), strict=True):
            print(f"{name}: median {1000 * statistics.median(values):.0f} ms, at most {1000 * max(values):.0f} ms")


if __name__ == "__main__":
    main()
