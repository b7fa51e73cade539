"""Who looks at a run: where strangers share a server, a run that nobody has looked at for a minute is paused.

To look is to follow its events, or to ask about it. Where that happens on another server than the one that trains it,
the other one writes so among the run's events, some times in such a span.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from server.store.rows import CLAIMED
from server.store.writer import Writer
from server.training.ledger import ORDER, event
from server.training.runs import Run

LOOKED = "looked"  # what an order says that asks for nothing: somebody looks
SHARE = 1 / 3  # of the span, after which another server is told again


class Attention:
    """What one server knows of it. `seconds` is how long nobody may look; 0: for ever."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked: set[str] = set()  # runs that somebody has asked about since the last look at them
        self._at: dict[str, float] = {}  # when somebody looked at a run last, or its server was told so

    def ask(self, run: str) -> None:
        """Somebody has asked about a run, here or elsewhere."""
        if self.seconds:
            self.asked.add(run)

    def forsaken(self, own: Sequence[Run], watched: Sequence[str]) -> list[Run]:
        """Returns those of the runs that train here at which nobody has looked for too long; each once in a span."""
        now = time.monotonic()
        training = {run.id: run for run in own if run.status == "running"} if self.seconds else {}
        looked = {run.id for run in own} & {*watched, *self.asked}
        self.asked -= looked
        self._at = {run: at for run, at in self._at.items() if at + self.seconds > now or run in training}
        self._at |= {run: now for run in training if run in looked or run not in self._at}
        found = [run for id, run in training.items() if self._at[id] + self.seconds <= now]
        self._at |= {run.id: now for run in found}
        return found

    async def tell(self, writer: Writer, run: str) -> None:
        """Lets the server that trains a run know that somebody looks at it here. Raises StoreError."""
        self.asked.discard(run)
        now = time.monotonic()
        if not self.seconds or self._at.get(run, -self.seconds) + self.seconds * SHARE > now:
            return
        self._at[run] = now
        row = await writer.run(run)
        if row is not None and row.status in CLAIMED:
            await writer.append(run, [event(ORDER, action=LOOKED, rate=0.0)])
