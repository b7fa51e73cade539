"""Ends a compute process that hangs, or that computes far longer than was estimated.

Not by the clock on the wall: on a loaded machine an honest analysis gets on slowly, but it gets on. The process is
looked at four times a second. It hangs if it has not computed at all in six looks, and did not wait for a core either
(on a machine that is overrun, one of high niceness may get none for seconds); it has gone astray if it has
computed for three times the estimate and a second. Time is counted in looks, so that a paused machine ends nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from server.process import Process

LOOK = 0.25  # seconds between two looks
IDLE_LOOKS = 6  # in which it has not computed: then it hangs
PROGRESS = 0.001  # of the time between two looks: a process that waits for a lock wakes up now and then
TIMES, MORE = 3.0, 1.0  # so many estimates, and so many seconds


class Watch:
    """One task of one process. `longest` returns the seconds that it may honestly compute; it is asked late."""

    def __init__(self, process: Process, longest: Callable[[], float], most: float) -> None:
        self._process, self._longest, self._most = process, longest, most
        self._looks = self._idle = 0
        self._begun = self._last = process.computed()
        self.limit = 0.0  # the seconds beyond which it was ended; 0 if it was not, or because it hung
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        self._looks += 1
        if self._looks * LOOK >= self._most:
            self.limit = self._most
        elif (computed := self._process.computed()) is not None and self._last is not None:
            works = computed - self._last > PROGRESS * LOOK or self._process.wants()
            self._idle = 0 if works else self._idle + 1
            self._last = computed
            self._compare(computed - (self._begun or 0.0))
        if self.limit or self._idle >= IDLE_LOOKS:
            self._process.kill()
        else:
            self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _compare(self, computed: float) -> None:
        if computed > MORE and computed > (most := TIMES * self._longest() + MORE):
            self.limit = most
