"""Who watches which run: each viewer has a bounded queue, and one that does not keep up is let go."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from server.refusals import busy
from server.settings import Settings
from server.store.rows import Event
from server.training.sending import Batch

FREED = 5.0  # seconds until a stream may have ended where as many are open as may be
AGAIN = ("stream", ", close another tab of this run, or ask /points?after= now and then")
QUEUE = 2000  # events that may wait for one viewer; then it is dropped, and comes again with Last-Event-ID


class Viewer:
    """One open stream."""

    def __init__(self, run: str, client: str) -> None:
        self.run, self.client = run, client
        self._batches: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._waiting = 0  # events
        self.closed = False

    def put(self, batch: Batch) -> None:
        """Has events wait, or closes the stream if too many do."""
        if self._waiting >= QUEUE:
            self.close()
        if not self.closed:
            self._waiting += len(batch)
            self._batches.put_nowait(batch)

    def close(self) -> None:
        """Ends the stream after what waits already."""
        if not self.closed:
            self.closed = True
            self._batches.put_nowait(None)

    async def get(self, seconds: float) -> Batch | None:
        """Returns the events that came next; None at the end. Raises TimeoutError if nothing comes in time."""
        async with asyncio.timeout(seconds):
            found = await self._batches.get()
        self._waiting -= len(found or ())
        return found


class Viewers:
    """All open streams of a server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._of_run: defaultdict[str, set[Viewer]] = defaultdict(set)
        self._of_client: defaultdict[str, int] = defaultdict(int)
        self.count = 0
        self.closing = False

    def admit(self, run: str, client: str) -> Viewer:
        """Returns a new viewer, or raises RefusedError (429, 503)."""
        most, each, mine = self._settings.streams, self._settings.streams_per_client, self._of_client.get(client, 0)
        if self.closing or self.count >= most:
            raise busy(f"{self.count} are open", f"at most {most} may be", FREED, 503, *AGAIN)
        if mine >= each:
            raise busy(f"{mine} are open for you", f"at most {each} may be", FREED, 429, *AGAIN)
        viewer = Viewer(run, client)
        self._of_run[run].add(viewer)
        self._of_client[client] += 1
        self.count += 1
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forgets a viewer whose stream has ended."""
        self._of_run[viewer.run].discard(viewer)
        if not self._of_run[viewer.run]:
            del self._of_run[viewer.run]
        self._of_client[viewer.client] -= 1
        if not self._of_client[viewer.client]:
            del self._of_client[viewer.client]
        self.count -= 1

    def watched(self) -> list[str]:
        """Returns the runs that somebody watches here."""
        return list(self._of_run)

    def publish(self, run: str, events: Sequence[Event]) -> None:
        """Sends events, in their order, to everybody who watches the run."""
        batch = Batch(events)
        for viewer in list(self._of_run.get(run, ())) if events else ():
            viewer.put(batch)

    def close(self, run: str | None = None) -> None:
        """Ends the streams of a run, or all of them for good."""
        self.closing = self.closing or run is None
        for name in list(self._of_run) if run is None else [run]:
            for viewer in list(self._of_run.get(name, ())):
                viewer.close()
