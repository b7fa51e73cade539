"""Clients that go away: how soon nothing is computed for them any more. `python -m tests.load.leaving`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable

from tests.load.http import ADDRESS, quantile, request
from tests.load.machine import Others, computing, family, state
from tests.load.stage import served

SLOW = "/api/v1/analysis?steps=10000&hidden=32&batch=1&seed={seed}"  # seconds of work
PROMISED = 100.0  # milliseconds of the 99th percentile
LOOK = 0.002  # seconds
SURE = 5  # looks in a row
LONGEST = 20.0  # seconds for anything
ORPHAN_SECONDS = 1.0


def leaving(clients: int, slack: float = 1.0) -> bool:
    """Prints how long it takes until a computation has stopped whose client has left, and what is left of a server
    that was killed. Returns whether that is as promised."""
    with served(False) as (port, server):
        others = Others()
        took = asyncio.run(_all(port, server, clients))
        taken = others.share()
        left = _killed(port, server)
    kept = quantile(took, 0.99) <= PROMISED * slack and not left
    print(f"\n{clients} clients that leave; others took {taken:.0%} of the machine\n"
          f"nothing is computed after: median {quantile(took, 0.5):.0f} ms, 99th {quantile(took, 0.99):.0f} ms; "
          f"{left} processes {ORPHAN_SECONDS:g} s after kill -9 of the server  "
          f"<= {PROMISED:g} ms, 0 processes  {'kept' if kept else 'BROKEN'}", flush=True)
    return kept


async def _all(port: int, server: int, clients: int) -> list[float]:
    return [await _one(port, server, seed) for seed in range(clients)]


async def _one(port: int, server: int, seed: int) -> float:
    """Returns the seconds from the moment when a client has gone until no compute process works."""
    _, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(request("GET", SLOW.format(seed=seed)))
    await _until(lambda: bool(computing(server)))
    working = computing(server)
    begun = time.perf_counter()
    writer.transport.abort()
    ended = await _until(lambda: not working & computing(server))
    return ended - begun


async def _until(condition: Callable[[], bool]) -> float:
    """Returns when a condition began to hold that then held for some looks."""
    end, since, looks = time.perf_counter() + LONGEST, 0.0, 0
    while looks < SURE:
        if time.perf_counter() > end:
            raise RuntimeError("it never came to that")
        looks, since = (looks + 1, since if looks else time.perf_counter()) if condition() else (0, 0.0)
        await asyncio.sleep(LOOK)
    return since


def _killed(port: int, server: int) -> int:
    """Returns how many processes of a server are there a second after it was killed in the middle of its work."""
    asyncio.run(_busy(port, server))
    started = family(server)[1:]
    os.kill(server, signal.SIGKILL)
    time.sleep(ORPHAN_SECONDS)
    return sum(state(pid) not in ("", "Z", "X") for pid in started)


async def _busy(port: int, server: int) -> None:
    _, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(request("GET", SLOW.format(seed=2**31)))
    await _until(lambda: bool(computing(server)))


if __name__ == "__main__":
    sys.exit(0 if leaving(int(sys.argv[1]) if sys.argv[1:] else 100) else 1)
