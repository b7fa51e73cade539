"""A lecture hall and worse, against a real server on this machine: `python -m tests.load.overload --students 200`.

Prints what each kind of client saw, beside what is promised, and ends with 1 if a promise is broken. The generator runs
on the same machine as the server, so that its own work counts against the server.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

from scripts.nginx import front
from scripts.running import running
from tests.load.crowd import heavy, hog, pupil, same_lesson, trickler, watcher
from tests.load.http import Times

Client = Callable[[int, Times], Coroutine[Any, Any, None]]
CLIENTS: dict[str, Client] = {
    "students": pupil,
    "lesson": same_lesson,
    "hog": hog,
    "distinct": heavy,
    "slow": trickler,
    "health": watcher,
}
WARM_UP = 2.0  # seconds that are not counted
PROMISES = {  # kind -> milliseconds of the 99th percentile, alone with a hog and with everything at once
    "health": (50, 100),
    "students": (100, 150),
}


def arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--students", type=int, default=0, help="pupils who move a slider every 2 s")
    made.add_argument("--hog", type=int, default=0, help="connections of one client that asks without a pause")
    made.add_argument("--distinct", type=int, default=0, help="clients with a heavy analysis each")
    made.add_argument("--slow", type=int, default=0, help="clients that send a letter a second")
    made.add_argument("--all", action="store_true", help="200 pupils, a hog of 500 connections, 600 slow clients")
    made.add_argument("--lesson", type=int, default=0, help="pupils who all move the same slider of the same lesson")
    made.add_argument("--front", action="store_true", help="behind nginx with deploy/nginx.conf")
    made.add_argument("--seconds", type=float, default=20.0)
    return made.parse_args()


async def crowd(port: int, counts: dict[str, int], seconds: float) -> dict[str, Times]:
    """Returns what each kind of client saw in so many seconds, after a warm-up."""
    times = {kind: Times(kind) for kind in counts}
    tasks = [
        asyncio.create_task(CLIENTS[kind](port, times[kind])) for kind, count in counts.items() for _ in range(count)
    ]
    await asyncio.sleep(WARM_UP)
    for kind in times:
        times[kind].__init__(kind)  # type: ignore[misc]
    await asyncio.sleep(seconds)
    failed = [task.exception() for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for error in failed:
        print("a client failed:", repr(error))
    return times


def report(times: dict[str, Times], crowded: bool) -> bool:
    """Prints a line a kind of client. Returns whether every promise was kept."""
    kept = True
    print(f"{'client':10} {'answers':>8} {'median':>9} {'99th':>9} {'promised':>9}   other answers")
    for kind, seen in times.items():
        promise = PROMISES.get(kind, (None, None))[crowded]
        broken = promise is not None and not (seen.quantile(0.99) <= promise and not seen.faults and seen.seconds)
        broken |= seen.without_retry_after > 0 or any(status >= 500 and status != 503 for status in seen.statuses)
        kept &= not broken
        others = {status: count for status, count in sorted(seen.statuses.items()) if status != 200}
        print(
            f"{kind:10} {len(seen.seconds):8} {seen.quantile(0.5):6.1f} ms {seen.quantile(0.99):6.1f} ms "
            f"{f'{promise} ms' if promise else '-':>9}   {others or ''} {dict(seen.faults) or ''} "
            f"{'BROKEN' if broken else ''}"
        )
    return kept


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


def main() -> int:
    chosen = arguments()
    counts = {kind: getattr(chosen, kind) for kind in ("students", "lesson", "hog", "distinct", "slow")}
    if chosen.all:
        counts = {"students": 200, "hog": 500, "distinct": 0, "slow": 600}
    counts = {kind: count for kind, count in counts.items() if count} | {"health": 1}
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, hard), hard))
    with ExitStack() as open_ones:
        address = open_ones.enter_context(running())
        if chosen.front:
            address = open_ones.enter_context(front(port_of(address)))
        times = asyncio.run(crowd(port_of(address), counts, chosen.seconds))
    return 0 if report(times, crowded=bool(counts.get("slow"))) else 1


if __name__ == "__main__":
    sys.exit(main())
