"""Who is refused and comes back at once is answered late: a storm of refusals must not keep the server busy. (leaf)

A refusal costs the server half a millisecond, and a program that ignores Retry-After asks again in the same moment.
After 20 refusals in 5 s to one client, or 250 to all, each further one is held back for a second or more: so long that
one client is refused at most 50 times a second, and all at most 250 times, evenly. (If all were held back for the same
time, they would all come again at the same time, and everybody else would wait behind them.)
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

SPAN = 5.0  # seconds
OF_ONE, OF_ALL = 20, 250
DELAY, LONGEST = 1.0, 10.0  # seconds
PACE_ONE, PACE_ALL = 1 / 50, 1 / 250  # seconds between two refusals that were held back
MOST_CLIENTS = 10_000  # that are remembered


@dataclass
class Refusals:
    """The last refusals to somebody, and when the last one that was held back is due."""

    last: deque[float]
    due: float = 0.0

    def hold(self, now: float, pace: float) -> float:
        """Notes one more; returns for how many seconds it is held back, 0 where there are not so many."""
        many = len(self.last) == self.last.maxlen and now - self.last[0] < SPAN
        self.last.append(now)
        if not many:
            return 0.0
        self.due = min(now + LONGEST, max(now + DELAY, self.due + pace))
        return self.due - now

    def over(self, now: float) -> bool:
        """Returns whether the last of them is so long ago that they make no difference to the next one."""
        return now - self.last[-1] > SPAN + LONGEST


@dataclass
class Tarpit:
    """The refusals of the last seconds."""

    _all: Refusals = field(default_factory=lambda: Refusals(deque(maxlen=OF_ALL)))
    _each: OrderedDict[str, Refusals] = field(default_factory=OrderedDict)  # the last refused stands last

    def refused(self, client: str, now: float) -> float:
        """Notes a refusal at the time `now` (seconds); returns for how many seconds it is to be held back."""
        own = self._each.get(client) or Refusals(deque(maxlen=OF_ONE))
        self._each[client] = own
        self._each.move_to_end(client)
        held = max(own.hold(now, PACE_ONE), self._all.hold(now, PACE_ALL))
        while len(self._each) > MOST_CLIENTS or next(iter(self._each.values())).over(now):
            self._each.popitem(last=False)
        return held
