"""How often a passphrase may be guessed: so many wrong ones in a minute from one network, and from all. (leaf)"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

SPAN = 60.0  # seconds
OF_ONE, OF_ALL = 20, 200
MOST_NETWORKS = 10_000  # that are remembered


@dataclass
class Guesses:
    """The wrong guesses of the last minute. A right one is not looked at either while there were too many."""

    _all: deque[float] = field(default_factory=lambda: deque(maxlen=OF_ALL))
    _each: dict[str, deque[float]] = field(default_factory=dict)

    def wait(self, network: str, now: float) -> float:
        """Returns for how many seconds a network may not guess at the time `now` (seconds)."""
        full = [last for last in (self._all, self._each.get(network, deque[float]())) if last.maxlen == len(last)]
        return max([0.0, *(SPAN - (now - last[0]) for last in full)])

    def wrong(self, network: str, now: float) -> None:
        """Notes a wrong guess."""
        own = self._each.pop(network, None) or deque(maxlen=OF_ONE)
        self._each[network] = own  # the last to guess stands last
        if len(self._each) > MOST_NETWORKS:
            del self._each[next(iter(self._each))]
        own.append(now)
        self._all.append(now)
