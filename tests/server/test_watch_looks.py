"""What is seen of a process that is looked at, and what the watch makes of it."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from server import watch
from server.child import Child, DeadError
from server.watch import IDLE_LOOKS, Watch
from server.worker import Bounds
from tests.server.test_jobs import run, until
from tests.server.training_client import within

LOOK = 0.002
MANY = 5 * IDLE_LOOKS
# Waits in the kernel, as a process does whose memory is on the disk: for a child of its own that opens a pipe.
WAITS = """
import os, sys
os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)])
"""


class Seen:
    """A process as it is seen, look after look: how many seconds it computed, and whether it would have liked to."""

    def __init__(self, computes: tuple[float, ...], wants: tuple[bool, ...] = (False,)) -> None:
        self._computes, self._wants = cycle(computes), cycle(wants)
        self.looks, self.seconds, self.killed = -1, 0.0, False  # the first look is that of the beginning

    def computed(self) -> float:
        self.looks += 1
        self.seconds += next(self._computes) if self.looks else 0.0
        return self.seconds

    def wants(self) -> bool:
        return next(self._wants)

    def kill(self) -> None:
        self.killed = True


async def watched(process: Seen, honest: float = math.inf, busy: Callable[[], bool] = lambda: True) -> Watch:
    """Returns the watch of a process that was ended, or looked at many times."""
    watching = Watch(process, lambda: honest, math.inf, busy)
    await until(lambda: process.killed or process.looks > MANY)
    watching.stop()
    return watching


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK", LOOK)


@pytest.mark.parametrize(("process", "hung"), [
    (Seen((0.0,)), True),
    (Seen((LOOK,) * 5 + (0.0,) * IDLE_LOOKS), True),
    (Seen((LOOK / 2000,)), True),  # somebody wakes it, and it sleeps on
    (Seen((LOOK,)), False),
    (Seen((0.0,), (True,)), False),  # it waits for a core, however long
    (Seen((0.0,) * (IDLE_LOOKS - 1) + (LOOK / 100,)), False),
    (Seen((0.0,), (False,) * (IDLE_LOOKS - 1) + (True,)), False),
])  # fmt: skip
def test_a_process_hangs_that_has_neither_computed_nor_waited_in_four_looks(process: Seen, hung: bool) -> None:
    async def scenario() -> None:
        watching = await watched(process)
        assert (watching.hung, process.killed, watching.limit) == (hung, hung, 0.0)

    run(scenario())


def test_a_process_that_computes_too_long_is_ended_by_what_it_computed() -> None:
    async def scenario() -> None:
        slow, quick = Seen((0.0, 0.05), (True,)), Seen((0.2,))
        assert (await watched(slow, 1.5)).limit == 0
        assert not slow.killed
        watching = await watched(quick, 1.5)
        assert (watching.limit, watching.hung, quick.killed) == (1.5, False, True)
        assert quick.seconds == pytest.approx(1.6)

    run(scenario())


def test_a_process_that_has_nothing_to_do_may_sleep() -> None:
    async def scenario() -> None:
        process = Seen((0.0,))
        watching = await watched(process, busy=lambda: process.looks >= 2 * IDLE_LOOKS)
        assert watching.hung
        assert process.looks == 3 * IDLE_LOOKS

    run(scenario())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not say what a process does")
def test_one_that_waits_for_the_disk_does_not_hang_and_one_that_is_stopped_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        os.mkfifo(tmp_path / "pipe")
        command = [sys.executable, "-c", WAITS, str(tmp_path / "pipe")]
        child = Child(await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE))
        last = child.computed()
        while (now := child.computed()) != last:  # it starts
            last = now
            await asyncio.sleep(0.1)
        assert child.wants()
        await child.end()
        assert not child.wants()
        assert child.computed() is None

    run(scenario())


def test_a_process_that_hangs_at_its_start_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # hundreds of looks a second would take one that waits for its input for one that hangs
    real = asyncio.create_subprocess_exec

    async def stopped(*arguments: str, **options: object) -> asyncio.subprocess.Process:
        made = await real(*arguments, **options)  # type: ignore[arg-type]
        os.kill(made.pid, signal.SIGSTOP)
        return made

    async def scenario() -> None:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", stopped)
        begun = time.monotonic()
        with pytest.raises(DeadError):
            await Child.start("server.worker", Bounds(2**31, 0))
        assert time.monotonic() - begun < within(2)

    run(scenario())
