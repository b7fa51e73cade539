"""F5: the signal to stop, in the middle of 200 streams, 50 analyses and training runs that go on and wait; and kill -9,
in the middle of processes that hang."""

from __future__ import annotations

import os
import random
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tests.faults.seen import Seen, progress, spread
from tests.server.live import Live, alive, until
from tests.server.training_client import API, LONG, Visitor, served, visitor, within

JOBS = 50
WAITING = 3  # training runs behind the one that is watched
STOP_SECONDS = 10.0
ORPHAN_SECONDS = 1.0
HEAVY = "/api/v1/analysis?steps=8000&hidden=32&batch=1&certificate=false&seed={}"
ROOMY = {"streams_per_client": 1000, "client_jobs": 1000, "client_seconds": 3600, "heavy_queue_seconds": 3600,
         "analysis_seconds": 60}  # fmt: skip


def stream(port: int, owner: Visitor, id: str, after: int) -> socket.socket:
    """Returns the connection of somebody who has asked for a run's events, and reads them later."""
    made = socket.create_connection(("127.0.0.1", port), timeout=30)
    lines = [f"GET {API}/{id}/events?after={after} HTTP/1.1", "Host: localhost", f"Cookie: {owner.cookie}", "", ""]
    made.sendall("\r\n".join(lines).encode())
    return made


def rest_of(connection: socket.socket) -> str:
    return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def ask(server: Live, seed: int, statuses: Counter[Any]) -> None:
    try:
        statuses[server.get(HEAVY.format(seed), 60)[0]] += 1
    except OSError as error:
        statuses[type(error).__name__] += 1


def stored(folder: Path) -> Counter[str]:
    """Returns how many runs are kept with which status."""
    with closing(sqlite3.connect(folder / "runs.sqlite3")) as connection:
        return Counter(row[0] for row in connection.execute("SELECT status FROM runs"))


def stop(count: int, folder: Path, seen: Seen) -> None:
    statuses: Counter[Any] = Counter()
    with served(folder, **ROOMY) as server, ExitStack() as opened:
        owner = visitor(server)
        id = owner.start(LONG)
        waiting = [owner.start(LONG) for _ in range(WAITING)]
        owner.trained(id, 2_000)
        asking = [threading.Thread(target=ask, args=(server, seed, statuses)) for seed in range(JOBS)]
        for thread in asking:
            thread.start()
        last = owner.run(id)["last_event"]
        streams = [opened.enter_context(closing(stream(server.port, owner, id, last))) for _ in range(count)]
        said: list[str] = []
        reading = [threading.Thread(target=lambda one=one: said.append(rest_of(one))) for one in streams]
        for thread in reading:
            thread.start()
        until(lambda: f"unrolled_streams {count}.0" in server_metrics(owner), 30)
        children = server.children()
        code, seconds, errors = server.stop()
        for thread in [*asking, *reading]:
            thread.join()
    final = sum('"status": "interrupted"' in text.rpartition("event: ")[2] for text in said)
    told = sum("retry: " in text for text in said)
    scene = f"{count} streams, {JOBS} analyses, {1 + WAITING} runs"
    seen.say(f"SIGTERM with {scene}: exit code {code} after {seconds:.2f} s",
             code == 0 and seconds <= STOP_SECONDS)  # fmt: skip
    seen.say(f"{final} streams got the final event, {told} when to come again", final == told == count)
    answered = sum(statuses.values()) == JOBS and set(statuses) <= {200, 503}
    seen.say(f"analyses answered {dict(statuses)}", answered)
    kept = stored(folder)
    seen.say(f"kept: {dict(kept)}", kept == {"interrupted": 1 + len(waiting)})
    seen.say(f"left behind: {sum(map(alive, children))} processes", not any(map(alive, children)))
    seen.say(f"said: {errors.strip()[:200] or 'nothing'}", errors == "")


def server_metrics(owner: Visitor) -> str:
    return str(owner.ask("GET", "/metrics").body.decode())


def kill_9(count: int, folder: Path, seen: Seen) -> None:
    """Nothing outlives a server, not even a process that hangs, computes or trains."""
    lasted, left = [], 0
    for number in range(count):
        progress(f"kill -9 of the server: {number + 1}")
        with served(folder / f"{number}", **ROOMY) as server:
            owner = visitor(server)
            owner.trained(owner.start(LONG), 500)
            threading.Thread(target=ask, args=(server, number, Counter()), daemon=True).start()
            children = server.children()
            time.sleep(0.2)
            os.kill(random.Random(number).choice(children), signal.SIGSTOP)
            server.process.kill()
            begun = time.monotonic()
            while any(map(alive, children)) and time.monotonic() - begun < 5:
                time.sleep(0.01)
            lasted.append(time.monotonic() - begun)
            left += sum(map(alive, children))
    seen.say(f"kill -9 of the server {count} times, one of its processes hanging: {left} orphans, gone after "
             f"{spread(lasted)}", left == 0 and max(lasted) <= within(ORPHAN_SECONDS))  # fmt: skip


def scene(count: int, folder: Path, kills: int = 5) -> Seen:
    seen = Seen()
    stop(count, folder, seen)
    kill_9(kills, folder, seen)
    return seen


def test_a_server_that_is_stopped_or_killed_leaves_nothing_open_and_nothing_behind(tmp_path: Path) -> None:
    seen = scene(20, tmp_path, 1)
    assert not seen.broken, seen.figures
