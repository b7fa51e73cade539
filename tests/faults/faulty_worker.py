"""A compute process that comes to harm where a question asks for it, by its seed.

Run as `python -m tests.faults.faulty_worker`. The last three digits of such a seed are free, so that there is a new
question each time. Each harm is noted in the file UNROLLED_FAULTY_LOG; as long as there is the file
UNROLLED_FAULTY_START, the process ends at its start.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server import worker

PIECE = 64 * 2**20
KEPT: list[bytes] = []


def crash() -> None:
    """By a read at address 0."""
    ctypes.string_at(0)


def be_killed() -> None:
    """As the system does where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    """Waits for what never comes."""
    threading.Event().wait()


def spin() -> None:
    """Computes for ever."""
    while True:
        pass


def leak() -> None:
    """Keeps 300 MB."""
    KEPT.extend(b"x" * PIECE for _ in range(5))


def exhaust() -> None:
    """Takes memory until there is no more."""
    taken: list[bytes] = []
    while True:
        taken.append(b"x" * PIECE)


HARMS: dict[str, tuple[int, Callable[[], None]]] = {
    "crash": (901_000, crash), "killed": (902_000, be_killed), "hang": (903_000, hang), "spin": (904_000, spin),
    "leak": (905_000, leak), "memory": (906_000, exhaust),
}  # fmt: skip
BY_SEED = dict(HARMS.values())


def note(what: str) -> None:
    with Path(os.environ["UNROLLED_FAULTY_LOG"]).open("a") as file:
        file.write(f"{what} {os.getpid()} {time.monotonic()}\n")


def prepared(bounds: worker.Bounds) -> None:
    """Takes the limits of a compute process, and puts harm before its computing."""
    if Path(os.environ.get("UNROLLED_FAULTY_START", "/nowhere")).exists():
        note("start")
        sys.exit(1)
    restrict(bounds)
    from server import work

    honest = work.compute

    def compute(task: work.Task) -> Any:
        seed = getattr(getattr(task.asked, "config", None), "seed", 0)
        if harm := BY_SEED.get(seed // 1000 * 1000):
            note("harm")
            harm()
        return honest(task)

    work.compute = compute


if __name__ == "__main__":
    restrict, worker.restrict = worker.restrict, prepared
    worker.main()
