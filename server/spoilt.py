"""Questions that ended their compute processes. For a while they are refused at once: a page or a program that tries
again by itself would end one process after the other. (leaf)"""

from __future__ import annotations

from collections import OrderedDict

SECONDS = 30.0
MOST = 256


class Spoilt:
    """The last such questions, by their keys."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()

    def note(self, key: str, now: float) -> None:
        """Remembers a question at the time `now` (seconds)."""
        self._until[key] = now + SECONDS
        self._until.move_to_end(key)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def left(self, key: str, now: float) -> float:
        """Returns for how many seconds more a question is refused; 0 for one that may be asked."""
        until = self._until.get(key, now)
        if until <= now:
            self._until.pop(key, None)
        return max(0.0, until - now)
