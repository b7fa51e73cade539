"""What is noted of one request while it is answered: for the log and for the metrics. (leaf)"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from starlette.types import Scope

KEY = "unrolled.seen"


@dataclass
class Seen:
    """One request. Texts of a visitor are not among it: no query, no body, no header."""

    id: str
    method: str
    begun: float = field(default_factory=time.perf_counter)
    status: int = 499  # nginx's number for a client that left before the answer
    route: str = "other"  # the route's own pattern, so that there are only so many
    kind: str = ""  # of the analysis, where there is one
    cost: float | None = None  # seconds, as estimated before the work
    queue: float | None = None  # seconds
    compute: float | None = None  # seconds
    kept: bool = False  # answered from the cache

    @property
    def seconds(self) -> float:
        """How long the request has taken until now."""
        return time.perf_counter() - self.begun


def seen(scope: Scope) -> Seen:
    """Returns what is noted of the request; outside of the guard, in a test of a part, a note that nobody reads."""
    found = scope.get(KEY)
    return found if isinstance(found, Seen) else Seen("-", str(scope.get("method", "-")))
