"""A server of our own for each scene, with nginx before it or not, and what else ran on the machine meanwhile."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory

from scripts.nginx import front
from scripts.running import running
from tests.load.machine import Others, family, seconds
from tests.load.scenes import Scene, play, told

CALM_SECONDS = 0.5  # in which a server that has started computes nothing
CALM_SHARE = 0.05  # of a core, which counts as nothing
LONGEST_START = 30.0


@contextmanager
def served(behind: bool, settings: Mapping[str, object] | None = None) -> Iterator[tuple[int, int]]:
    """Yields the port to ask, and the id of a server of our own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, hard), hard))
    with ExitStack() as opened:
        data = opened.enter_context(TemporaryDirectory())  # nothing of the user's, and as empty each time
        given = {"data": data, **(settings or {})}
        named = {f"UNROLLED_{name.upper()}": str(value) for name, value in given.items()}
        before = set(family(os.getpid()))
        address = opened.enter_context(running(os.environ | named))
        server = next(pid for pid in family(os.getpid()) if pid not in before)
        calm(server)
        if behind:
            address = opened.enter_context(front(_port(address)))
        yield _port(address), server


def calm(server: int) -> None:
    """Returns when no process of a server computes any more: all have started (it is ready before that, with the first
    of them), or have done their work."""
    end = time.monotonic() + LONGEST_START
    while time.monotonic() < end:
        before = seconds(family(server))
        time.sleep(CALM_SECONDS)
        if seconds(family(server)) - before <= CALM_SHARE * CALM_SECONDS:
            return


def measured(scene: Scene, longest: float, only_faults: bool = False) -> bool:
    """Plays a scene before a server of its own, and prints what came of it. Returns whether it is as promised."""
    with served(scene.front) as (port, _):
        others = Others()
        seen = asyncio.run(play(scene, port, longest))
        taken = others.share()
    lines, kept = told(seen, only_faults)
    print(f"\n{scene.name}: {longest:g} s; others took {taken:.0%} of the machine", *lines, sep="\n", flush=True)
    return kept


def _port(address: str) -> int:
    return int(address.rsplit(":", 1)[1])
