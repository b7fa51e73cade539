"""How many requests a client may make: so many a second, and so many at once after a pause (a token bucket).

Before everything else, answers that are kept among it: they cost little, but not nothing. Pages, scripts and /healthz
are not counted, as a class that opens the page has no cookies yet and shares one address.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from server.refusals import busy
from server.settings import Settings
from server.tarpit import Tarpit
from server.visitors import Visitors

COUNTED = "/api/"
MOST_CLIENTS = 10_000  # that are remembered


class Buckets:
    """For each client how many requests it may make now, and when that was worked out."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float) -> float:
        """Takes one request at the time `now` (seconds) and returns 0, or returns how long to wait for one."""
        left, since = self._left.get(client, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        taken = left >= 1
        self._left[client] = (left - taken, now)
        self._left.move_to_end(client)
        if len(self._left) > MOST_CLIENTS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._rate


class Paced:
    """Refuses (429) requests of the API beyond a client's pace, those of one that comes back at once a little later."""

    def __init__(self, app: ASGIApp, settings: Settings, visitors: Visitors, tarpit: Tarpit) -> None:
        self.app, self.visitors, self.tarpit = app, visitors, tarpit
        self.rate, self.burst = settings.requests_per_second, settings.requests_at_once
        self.buckets = Buckets(self.rate, self.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(COUNTED):
            client = self.visitors.client(Request(scope)).name
            now = asyncio.get_running_loop().time()
            wait = self.buckets.wait(client, now)
            if wait:
                await asyncio.sleep(self.tarpit.refused(client, now))
                limit = f"a client may make {self.rate:g} a second, and {self.burst:g} at once"
                raise busy("too many requests", limit, wait, 429)
        await self.app(scope, receive, send)
