"""Ends a process of ours that hangs, or that computes far longer than it honestly may.

Not by the clock on the wall: on a loaded machine an honest analysis gets on slowly, but it gets on. The process is
looked at four times a second. It hangs if it has not computed at all in four looks, and waited neither for a core nor
for the disk (on a machine that is overrun, one of high niceness may get none for seconds). Time is counted in looks,
so that a paused machine ends nobody. (leaf)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

LOOK = 0.25  # seconds between two looks
IDLE_LOOKS = 4  # in which it has not computed: then it hangs
LITTLE = 1.0  # seconds of computing that are always honest
PROGRESS = 0.001  # of the time between two looks: a process that waits for a lock wakes up now and then


class Watched(Protocol):
    """A process as `server.child` knows it."""

    def computed(self) -> float | None: ...
    def wants(self) -> bool: ...
    def kill(self) -> None: ...


class Watch:
    """A process from now on, until it has said something. `honest` returns the seconds that it may compute until then,
    and is asked late; `most` are those that it may take by the looks. While it is not `busy` it may sleep."""

    def __init__(self, process: Watched, honest: Callable[[], float], most: float,
                 busy: Callable[[], bool] = lambda: True) -> None:  # fmt: skip
        self._process, self._honest, self._most, self._busy = process, honest, most, busy
        self.limit = 0.0  # the seconds beyond which it was ended; 0 if it was not, or because it hung
        self.hung = False
        self._begin()

    def stop(self) -> None:
        self._timer.cancel()

    def _begin(self) -> None:
        self._looks = self._idle = 0
        self._begun = self._last = self._process.computed()
        self._later()

    def _later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _look(self) -> None:
        if not self._busy():
            self._begin()
            return
        self._looks += 1
        if self._looks * LOOK >= self._most:
            self.limit = self._most
        elif (computed := self._process.computed()) is not None and self._last is not None:
            works = computed - self._last > PROGRESS * LOOK or self._process.wants()
            self._idle = 0 if works else self._idle + 1
            self._last = computed
            self._compare(computed - (self._begun or 0.0))
        self.hung = self._idle >= IDLE_LOOKS
        if self.limit or self.hung:
            self._process.kill()
        else:
            self._later()

    def _compare(self, computed: float) -> None:
        if computed > LITTLE and computed > (most := self._honest()):
            self.limit = most
