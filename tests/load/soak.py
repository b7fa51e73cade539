"""What a server holds after hours of everything at once: as much as before, or it leaks."""

from __future__ import annotations

import asyncio

from tests.load.http import Connection
from tests.load.machine import MIB, Held, family, held
from tests.load.scenes import Scene, play, told
from tests.load.stage import calm, served

FIRST = 45.0  # seconds after which every process is there and every cache is full
SETTLING = 14.0  # seconds until the last slow client has been closed, and what was kept alive
GROWTH, MORE = 0.05, 2  # of memory; of files and of threads
SETTINGS = {"cache_bytes": 8 * MIB, "training_idle_seconds": 3600}  # full at once; no process comes or goes


def soak(scene: Scene, minutes: float) -> bool:
    """Prints what the server holds before and after. Returns whether that is as promised."""
    with served(scene.front, SETTINGS) as (port, server):
        asyncio.run(_played(scene, port, FIRST))
        before = _looked(port, server)
        print(f"before: {before}", flush=True)
        lines, kept = asyncio.run(_played(scene, port, 60 * minutes))
        after = _looked(port, server)
        print(f"after {minutes:g} minutes of {scene.name}: {after}", *lines, sep="\n", flush=True)
        alone = held([server])
        print(f"the front process alone: {alone}", flush=True)
    fine = steady(before, after)
    return kept and fine


async def _played(scene: Scene, port: int, seconds: float) -> tuple[list[str], bool]:
    """Plays a scene in pieces, each with a training run of its own, and waits until everybody has gone."""
    kept, left = True, seconds
    while left > 0:
        seen = await play(scene, port, min(left, FIRST))
        lines, fine = told(seen, only_faults=True)
        kept, left = kept and fine, left - FIRST
        if not fine:
            print(*lines, sep="\n", flush=True)
    await asyncio.sleep(SETTLING)
    return lines, kept


def _looked(port: int, server: int) -> Held:
    """Returns what a server holds with all its processes: those of the training that were ended with a run, because the
    machine was too busy for them to hand it back in time, start again when somebody opens the page of the training."""
    asyncio.run(_opened(port))
    calm(server)
    return held(family(server))


async def _opened(port: int) -> None:
    visitor = Connection(port)
    await visitor.get("/train")
    visitor.close()


def steady(before: Held, after: Held) -> bool:
    """Prints and returns whether nothing has grown beyond what is promised."""
    growth = after.bytes / before.bytes - 1
    files, threads = after.files - before.files, after.threads - before.threads
    fine = growth <= GROWTH and abs(files) <= MORE and abs(threads) <= MORE
    print(f"memory {growth:+.1%} (promised {GROWTH:+.0%}), files {files:+d}, threads {threads:+d} (promised {MORE}): "
          f"{'kept' if fine else 'BROKEN'}", flush=True)
    return fine
