"""A server of our own for each scene, with nginx before it or not, and what else ran on the machine meanwhile."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from scripts.nginx import front
from scripts.running import running
from tests.load.machine import Others, family
from tests.load.scenes import Scene, play, told


@contextmanager
def served(behind: bool, settings: Mapping[str, object] | None = None) -> Iterator[tuple[int, int]]:
    """Yields the port to ask, and the id of a server of our own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, hard), hard))
    named = {f"UNROLLED_{name.upper()}": str(value) for name, value in (settings or {}).items()}
    with ExitStack() as opened:
        before = set(family(os.getpid()))
        address = opened.enter_context(running(os.environ | named))
        server = next(pid for pid in family(os.getpid()) if pid not in before)
        if behind:
            address = opened.enter_context(front(_port(address)))
        yield _port(address), server


def measured(scene: Scene, seconds: float, only_faults: bool = False) -> bool:
    """Plays a scene before a server of its own, and prints what came of it. Returns whether it is as promised."""
    with served(scene.front) as (port, _):
        others = Others(family(os.getpid()))
        seen = asyncio.run(play(scene, port, seconds))
        taken = others.share()
    lines, kept = told(seen, only_faults)
    print(f"\n{scene.name}: {seconds:g} s; others took {taken:.0%} of the machine", *lines, sep="\n", flush=True)
    return kept


def _port(address: str) -> int:
    return int(address.rsplit(":", 1)[1])
