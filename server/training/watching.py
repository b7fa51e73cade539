"""Who watches which run: each viewer has a bounded queue, and one that does not keep up is let go."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from server.problems import refuse
from server.settings import Settings
from server.store.rows import Event

QUEUE = 2000  # events that may wait for one viewer; then it is dropped, and comes again with Last-Event-ID


class Viewer:
    """One open stream."""

    def __init__(self, run: str, client: str) -> None:
        self.run, self.client = run, client
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE + 1)
        self.closed = False

    def put(self, event: Event) -> None:
        """Has an event wait, or closes the stream if too many do."""
        if self._events.qsize() >= QUEUE:
            self.close()
        if not self.closed:
            self._events.put_nowait(event)

    def close(self) -> None:
        """Ends the stream after what waits already."""
        if not self.closed:
            self.closed = True
            self._events.put_nowait(None)

    async def get(self, seconds: float) -> list[Event]:
        """Returns the events that wait, at least one; none at the end. Raises TimeoutError if nothing comes in time."""
        async with asyncio.timeout(seconds):
            found = [await self._events.get()]
        while not self._events.empty():
            found.append(self._events.get_nowait())
        if found[-1] is None and len(found) > 1:
            self._events.put_nowait(None)
        return [event for event in found if event is not None]


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
        most, each = self._settings.streams, self._settings.streams_per_client
        again = "Close another tab of this run, or ask /points?after= now and then."
        if self.closing or self.count >= most:
            raise refuse(503, "stream", f"{self.count} are open", f"at most {most} may be", again, Retry_After="10")
        if self._of_client[client] >= each:
            raise refuse(429, "stream", f"{each} are open for you", f"at most {each} may be", again, Retry_After="5")
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
        for viewer in list(self._of_run.get(run, ())):
            for event in events:
                viewer.put(event)

    def close(self, run: str | None = None) -> None:
        """Ends the streams of a run, or all of them for good."""
        self.closing = self.closing or run is None
        for name in list(self._of_run) if run is None else [run]:
            for viewer in list(self._of_run.get(name, ())):
                viewer.close()
