"""The training processes: started when they are needed, kept warm for a while, each given lanes of one run.

A run that waits gets a process that is idle, or one of a run that has several; a run that is alone gets
all of them. A lane can move from one process to another at any time, by its checkpoint, and its
numbers stay the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from server.problems import RefusedError
from server.settings import Settings
from server.training.messages import Report
from server.training.runs import LaneState, Run
from server.training.trainer import Checkpoint, DeadError, Trainer

log = logging.getLogger("unrolled")
PAUSE = 1.0  # seconds after a process that died at its start, before another one is tried
LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Hooks:
    """What the pool asks and tells."""

    runs: Callable[[], Sequence[Run]]  # that may have open lanes, the oldest first
    checkpoint: Checkpoint
    reported: Callable[[Trainer, Report], Awaitable[None]]
    lost: Callable[[Trainer, Run, list[LaneState]], Awaitable[None]]


class Pool:
    """The training processes of one server."""

    def __init__(self, settings: Settings, hooks: Hooks) -> None:
        self.settings, self._hooks = settings, hooks
        self.trainers: list[Trainer] = []
        self._starting = self._failures = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopping = False

    @property
    def size(self) -> int:
        return self.settings.training_workers

    def warm(self) -> None:
        """Starts as many processes as there may be, without waiting for them."""
        for _ in range(self.size - len(self.trainers) - self._starting):
            self._spawn()

    def of(self, run: Run) -> list[Trainer]:
        return [trainer for trainer in self.trainers if trainer.run is run]

    def dispatch(self) -> None:
        """Hands out every lane that can be handed out; called whenever something has changed."""
        if self.stopping:
            return
        for trainer in self._idle():
            run = self._neediest()
            if run is None:
                break
            self._give(trainer, run, self._share(run))
        for trainer in self.trainers:
            if trainer.run is not None and trainer.run.going and not trainer.asked:
                self._give(trainer, trainer.run, self._hold(trainer.run) - len(trainer.lanes))
        run = self._neediest()
        if run is not None and len(self.trainers) + self._starting < self.size:
            self._spawn()
        elif run is not None and not self.of(run) and not self._starting:
            self._take_from_another()
        elif run is None and self._idle():
            self._level()

    async def withdraw(self, run: Run, seconds: float) -> None:
        """Returns when no process holds a lane of this run; one that does not give it back in time is killed."""
        for trainer in self.of(run):
            self._soon(trainer.ask_back())
        try:
            async with asyncio.timeout(seconds), run.moved:
                await run.moved.wait_for(lambda: not self.of(run))
        except TimeoutError:
            slow = self.of(run)
            for trainer in slow:
                trainer.kill()
                trainer.release(list(trainer.lanes))

    async def stop(self) -> None:
        """Ends every process; returns when all are gone."""
        self.stopping = True
        for trainer in self.trainers:
            trainer.kill()
        for task in self._tasks:
            if task.get_name() == "start":
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _idle(self) -> list[Trainer]:
        return [trainer for trainer in self.trainers if trainer.run is None and not trainer.unwanted]

    def _hold(self, run: Run) -> int:
        """Returns how many lanes of a run one process holds at a time, so that strategies advance side by side."""
        return -(-len(run.lab.strategies) // self.size)

    def _share(self, run: Run) -> int:
        """Returns how many of a run's open lanes an idle process takes, leaving the others theirs."""
        return min(self._hold(run), -(-len(run.open_lanes()) // max(len(self._idle()), 1)))

    def _neediest(self) -> Run | None:
        """Returns the run with open lanes that has the fewest processes; of equals the oldest."""
        waiting = [run for run in self._hooks.runs() if run.open_lanes()]
        return min(waiting, key=lambda run: len(self.of(run)), default=None)

    def _give(self, trainer: Trainer, run: Run, count: int) -> None:
        lanes = run.open_lanes()[: max(count, 0)]
        if lanes:
            trainer.hold(run, lanes)
            each = self.settings.training_weight_bytes // len(run.lanes)
            self._soon(self._hand(trainer, run, lanes, each))

    async def _hand(self, trainer: Trainer, run: Run, lanes: list[LaneState], weight_bytes: int) -> None:
        try:
            await trainer.give(run, lanes, weight_bytes, self._hooks.checkpoint)
        except RefusedError as error:  # of the store, which does not find the checkpoints just now
            log.error("lanes of run %s could not be handed out: %s", run.id, error.problem)
            trainer.fail()

    def _take_from_another(self) -> None:
        """Has the run with the most processes give one of them up, for a run that has none. Where all processes have
        just been killed, new ones come when those are gone."""
        working = [trainer.run for trainer in self.trainers if trainer.run]
        held = self.of(max(working, key=lambda run: len(self.of(run)))) if working else []
        if len(held) > 1 and not any(trainer.asked for trainer in held):
            self._soon(held[-1].ask_back())

    def _level(self) -> None:
        """Moves a lane from a process that holds several to one that has nothing to do."""
        full = [trainer for trainer in self.trainers if len(trainer.lanes) > 1 and not trainer.asked]
        if full:
            trainer = max(full, key=lambda trainer: len(trainer.lanes))
            last = max(trainer.lanes.values(), key=lambda lane: (lane.seed, lane.strategy))
            self._soon(trainer.ask_back([last.name]))

    def _spawn(self) -> None:
        if not self.stopping:
            self._starting += 1
            self._soon(self._start(), "start")

    def _soon(self, work: Coroutine[Any, Any, None], name: str = "order") -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self) -> None:
        """Starts one process; after one that died at its start the next one waits longer."""
        try:
            if self._failures:
                await asyncio.sleep(min(PAUSE * 2**self._failures, LONGEST_PAUSE))
            trainer = await Trainer.start(self.settings)
            self._failures = 0
            self.trainers.append(trainer)
            self._soon(self._tend(trainer), "tend")
        except DeadError:
            self._failures += 1
            log.error("a training process ended at its start, %d times in a row", self._failures)
        finally:
            self._starting -= 1
        self.dispatch()

    async def _tend(self, trainer: Trainer) -> None:
        """Reads what a process reports, until it ends, hangs, or has had nothing to do for long."""
        reading = asyncio.create_task(trainer.report())
        try:
            while (left := self._patience(trainer)) is None or left > 0:
                done, _ = await asyncio.wait({reading}, timeout=left)
                if done:
                    report = reading.result()
                    reading = asyncio.create_task(trainer.report())
                    trainer.heard()
                    await self._hooks.reported(trainer, report)
        except DeadError:
            if not trainer.unwanted:
                log.warning("training process %d %s", trainer.pid, trainer.fate)
        except Exception:
            log.exception("a report of training process %d could not be dealt with", trainer.pid)
        finally:
            reading.cancel()
            await self._end(trainer)
        self.dispatch()

    def _patience(self, trainer: Trainer) -> float | None:
        """Returns how many seconds are left until a process that has nothing to do is ended; None where it has."""
        if trainer.lanes:
            return None
        return trainer.since + self.settings.training_idle_seconds - asyncio.get_running_loop().time()

    async def _end(self, trainer: Trainer) -> None:
        self.trainers.remove(trainer)
        await trainer.end()
        run, lanes = trainer.run, list(trainer.lanes.values())
        trainer.release(list(trainer.lanes))
        if run is not None and not trainer.unwanted:
            await self._hooks.lost(trainer, run, lanes)
        if run is not None:
            async with run.moved:
                run.moved.notify_all()
