"""How many requests a client may make: so many a second, and so many at once after a pause (a token bucket).

Before everything else, answers that are kept among it: they cost little, but not nothing. Pages, scripts and /healthz
are not counted, as a class that opens the page has no cookies yet and shares one address. A client is a visitor by its
cookie; all who come without one from a network are one client together, which may make many times as many.
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
SHARE = 20  # visitors that a network counts for whose requests have no cookie


class Buckets:
    """For each client how many requests it may make now, and when that was worked out."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float, share: int = 1) -> float:
        """Takes one request at the time `now` (seconds) and returns 0, or returns how long to wait for one. A client
        that counts for several has the `share` of so many."""
        rate, burst = share * self._rate, share * self._burst
        left, since = self._left.get(client, (burst, now))
        left = min(burst, left + (now - since) * rate)
        taken = left >= 1
        self._left[client] = (left - taken, now)
        self._left.move_to_end(client)
        if len(self._left) > MOST_CLIENTS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / rate


class Paced:
    """Refuses (429) requests of the API beyond a client's pace, those of one that comes back at once a little later."""

    def __init__(self, app: ASGIApp, settings: Settings, visitors: Visitors, tarpit: Tarpit) -> None:
        self.app, self.visitors, self.tarpit = app, visitors, tarpit
        self.rate, self.burst = settings.requests_per_second, settings.requests_at_once
        self.buckets = Buckets(self.rate, self.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(COUNTED):
            request = Request(scope)
            visitor = self.visitors.known(request)
            client, share = visitor or self.visitors.client(request).name, 1 if visitor else SHARE
            now = asyncio.get_running_loop().time()
            wait = self.buckets.wait(client, now, share)
            if wait:
                await asyncio.sleep(self.tarpit.refused(client, now))
                limit = f"a client may make {share * self.rate:g} a second, and {share * self.burst:g} at once"
                raise busy("too many requests", limit, wait, 429)
        await self.app(scope, receive, send)
