"""Who is refused and comes back at once is answered late: a storm of refusals must not keep the server busy. (leaf)

A refusal costs the server half a millisecond, and a program that ignores Retry-After asks again in the same moment.
After 20 refusals in 5 s to one client, or 250 to all, each further one is delayed by a second.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

SPAN = 5.0  # seconds
OF_ONE, OF_ALL = 20, 250
DELAY = 1.0  # seconds
MOST_CLIENTS = 10_000  # that are remembered


@dataclass
class Tarpit:
    """The refusals of the last seconds."""

    _all: deque[float] = field(default_factory=lambda: deque(maxlen=OF_ALL))
    _each: dict[str, deque[float]] = field(default_factory=dict)

    def refused(self, client: str, now: float) -> float:
        """Notes a refusal at the time `now` (seconds); returns for how many seconds it is to be held back."""
        own = self._each.pop(client, None) or deque(maxlen=OF_ONE)
        self._each[client] = own  # the last refused stands last
        if len(self._each) > MOST_CLIENTS:
            del self._each[next(iter(self._each))]
        late = any(len(last) == last.maxlen and now - last[0] < SPAN for last in (own, self._all))
        own.append(now)
        self._all.append(now)
        return DELAY if late else 0.0
