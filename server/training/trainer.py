"""The front process's end of one training process."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence

from server.child import Child, DeadError
from server.settings import Settings
from server.training.messages import HandBack, Report, Start, Take
from server.training.runs import LaneState, Run
from server.watch import Watch
from server.worker import Bounds

MODULE = "server.training.worker"
Checkpoint = Callable[[str, str], Awaitable[bytes | None]]


class Trainer:
    """A training process and what it holds. It works for one run at a time."""

    def __init__(self, child: Child, stall_seconds: float) -> None:
        self._child, self._stall = child, stall_seconds
        self._said = asyncio.Lock()  # one order after the other
        self._told: str | None = None  # the run that the process knows of
        self.run: Run | None = None
        self.lanes: dict[str, LaneState] = {}
        self._given: set[str] = set()  # those of them that the process knows of: now it has to compute
        self.asked = False  # to hand something back
        self.unwanted = False  # killed by us
        self.fate = "ended unexpectedly"  # what is said of it where it was not unwanted
        self.heard()

    @classmethod
    async def start(cls, settings: Settings) -> Trainer:
        """Returns a process that is warm, or raises DeadError."""
        bounds = Bounds(settings.training_process_bytes, settings.training_nice)
        return cls(await Child.start(MODULE, bounds), settings.training_stall_seconds)

    @property
    def pid(self) -> int:
        return self._child.pid

    def heard(self) -> None:
        """Notes that it has spoken just now, or was given something to do."""
        self.since = asyncio.get_running_loop().time()

    def hold(self, run: Run, lanes: Sequence[LaneState]) -> None:
        """Reserves lanes for this process; `give` sends them."""
        self.run = run
        self.heard()
        for lane in lanes:
            lane.held = True
            self.lanes[lane.name] = lane

    async def give(self, run: Run, lanes: Sequence[LaneState], weight_bytes: int, checkpoint: Checkpoint) -> None:
        """Sends lanes with their checkpoints, unless they have been taken back meanwhile."""
        async with self._said:
            for lane in lanes:
                stored = await checkpoint(run.id, lane.name) if lane.saved else None
                self._given.add(lane.name)
                if self._told != run.id:
                    self._told = run.id
                    await self._send(Start(run.id, run.lab, weight_bytes))
                await self._send(run.task(lane, stored))

    async def ask_back(self, lanes: Sequence[str] = ()) -> None:
        """Asks for lanes (all of them, if none is named); they come with the next report."""
        self.asked = True
        async with self._said:
            await self._send(HandBack(tuple(lanes)))

    def release(self, names: Sequence[str]) -> None:
        """Notes that the process does not hold these lanes any more."""
        self._given.difference_update(names)
        for name in names:
            if lane := self.lanes.pop(name, None):
                lane.held = False
                if self.run is not None:
                    self.run.steps.discard(name)
        self.asked = False
        if not self.lanes:
            self.run = None
            self.heard()

    async def report(self) -> Report:
        """Returns the next report, or raises DeadError. Meanwhile the process is watched: now it never waits for us."""
        unknown = self._child.computed() is None
        watch = Watch(self._child, lambda: self._stall, self._stall if unknown else math.inf, lambda: bool(self._given))
        try:
            head, _ = await self._child.receive()
        except DeadError:
            if watch.hung:
                self.fate = "hung, and was ended"
            elif watch.limit:
                self.fate = f"said nothing for {watch.limit:g} s, and was ended"
            raise
        finally:
            watch.stop()
        assert isinstance(head, Report)
        self._given.difference_update(head.back)
        return head

    def kill(self) -> None:
        """Ends the process now. Its lanes go on elsewhere from their last checkpoints, and nothing is lost."""
        self.unwanted = True
        self._child.kill()

    def fail(self) -> None:
        """Ends the process as if it had ended by itself."""
        self._child.kill()

    async def end(self) -> None:
        await self._child.end()

    async def _send(self, message: Start | Take | HandBack) -> None:
        """A process that has gone is noticed where its reports are read."""
        with contextlib.suppress(OSError):
            await self._child.send(message)


__all__ = ["DeadError", "Trainer"]
