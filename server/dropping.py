"""How a compute process stops in the middle of what nobody waits for any more, and stays warm. (leaf)

The thread that reads its input makes a signal of the message, which Python hands to the main thread between two of its
steps, wherever in the engine that is.
"""

from __future__ import annotations

import _thread
import signal
from dataclasses import dataclass

SIGNAL: signal.Signals = getattr(signal, "SIGUSR1", signal.SIGTERM)  # raised within the process alone


class DroppedError(BaseException):
    """Raised in the middle of a computation that nobody waits for any more; no part of it may catch this."""


@dataclass(frozen=True)
class Drop:
    """To a process: nobody waits for the answer to its question of this number, counted from 1."""

    number: int


class Dropping:
    """Ends the computation that is under way, wherever it is, or one that is about to begin."""

    def __init__(self) -> None:
        self._current = self._dropped = 0
        signal.signal(SIGNAL, self._interrupted)

    def begin(self, number: int) -> None:
        """Says which question is computed from now on, 0 for none; raises DroppedError if nobody waits for it."""
        self._current = number
        self._interrupted()

    def drop(self, number: int) -> None:
        """Called by the thread that reads: has the main thread raise DroppedError if it is at this question."""
        self._dropped = number
        if self._current == number:
            _thread.interrupt_main(SIGNAL)

    def _interrupted(self, *_: object) -> None:
        if self._current and self._current == self._dropped:
            self._current = 0
            raise DroppedError
