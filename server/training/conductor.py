"""Runs that are going on: what their processes report, how they come to rest, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from server.settings import Settings
from server.store.errors import StoreError
from server.training.ledger import Ledger, event
from server.training.messages import Report
from server.training.pool import Hooks, Pool
from server.training.runs import LaneState, Run
from server.training.summing import verdict_event
from server.training.trainer import Trainer

log = logging.getLogger("unrolled")
STEP_SECONDS = 5.0
HALT_SECONDS = 1.0  # that processes may take to hand back their lanes; then they are killed, which loses nothing
DEATHS = 2  # processes that a run may lose before it waits for somebody to start it again


class Conductor:
    """The runs that have lanes to hand out, and the processes that train them."""

    def __init__(self, settings: Settings, ledger: Ledger, rested: Callable[[], None]) -> None:
        self.settings, self.ledger, self._rested = settings, ledger, rested
        self.active: list[Run] = []
        self._finishing: set[asyncio.Task[None]] = set()
        self.pool = Pool(settings, Hooks(lambda: self.active, ledger.writer.checkpoint, self._reported, self._lost))

    def engage(self, run: Run) -> None:
        """Has a run go on from now; `announce` says so before anything that comes of it is stored."""
        run.going, run.deaths = True, 0
        run.steps.clear()
        self.active.append(run)
        self.pool.dispatch()

    async def announce(self, run: Run) -> None:
        """Stores that a run goes on."""
        try:
            await self.ledger.record(run, status="running")
        except StoreError as error:
            await self._cannot_store(run, error)
        self.judge(run)

    async def halt(self, run: Run, seconds: float = HALT_SECONDS) -> None:
        """Takes all lanes of a run back, with their checkpoints where those come in time."""
        run.going = False
        run.steps.clear()
        if run in self.active:
            self.active.remove(run)
        await self.pool.withdraw(run, seconds)
        self._rested()

    async def rest(self, run: Run, status: str, note: str = "", seconds: float = HALT_SECONDS) -> None:
        """Halts a run, and says why it does not go on; raises StoreError."""
        await self.halt(run, seconds)
        await self._keep(run, self.ledger.record(run, status=status, note=note))
        self.pool.dispatch()

    async def end(self, run: Run, status: str, note: str = "", seconds: float = HALT_SECONDS) -> None:
        """Ends a run for good, with the verdict of what it has; raises StoreError."""
        await self.halt(run, seconds)
        await self._keep(run, self._conclude(run, status, note))
        self.pool.dispatch()

    async def _conclude(self, run: Run, status: str, note: str) -> None:
        verdict = await verdict_event(self.ledger.writer, run, status)
        await self.ledger.record(run, verdict, status=status, note=note)

    async def _keep(self, run: Run, storing: Coroutine[Any, Any, None]) -> None:
        """Waits until something is stored; if it cannot be, the run is paused."""
        try:
            await storing
        except StoreError as error:
            self.cannot_store(run, error)
            raise

    async def step(self, run: Run) -> None:
        """Has each lane of the present seed take one update; returns when all have, or a little later without them."""
        run.steps = {lane.name for lane in run.front_lanes()}
        if run.steps and run not in self.active:
            self.active.append(run)
        self.pool.dispatch()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STEP_SECONDS), run.moved:
                await run.moved.wait_for(lambda: not run.steps)

    async def _reported(self, trainer: Trainer, report: Report) -> None:
        run = trainer.run
        if run is None or run.id != report.run:
            return  # taken from it meanwhile: the lane goes on from its last checkpoint
        for name, standing in report.lanes:
            run.lanes[name].standing = standing
        try:
            await self.ledger.report(run, report)
        except StoreError as error:
            await self._cannot_store(run, error)
            return
        for name, _ in report.checkpoints:
            run.lanes[name].saved = True
        trainer.release(report.back)
        async with run.moved:
            run.moved.notify_all()
        self.judge(run)
        if run in self.active and not run.going and not run.steps:
            self.active.remove(run)
            self._rested()
        self.pool.dispatch()

    def judge(self, run: Run) -> None:
        """Ends a run whose lanes have all ended, or that has computed for as long as it may."""
        most = self.settings.training_seconds
        if run not in self.active or (run.unfinished() and run.seconds() <= most):
            return
        self.active.remove(run)  # so that it ends once
        failed = all(lane.standing.ended == "failed" for lane in run.lanes.values())
        ending = ("failed", "No strategy could be trained.") if failed else ("done", "")
        if run.unfinished():
            ending = ("failed", f"It has computed for {most:g} s, which is the limit of a run here.")
        self._finish(run, lambda: self.end(run, *ending))

    def _finish(self, run: Run, ending: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Has a run end or rest by itself, unless somebody has done something else with it meanwhile."""

        async def unless(before: str) -> None:
            async with run.control:
                if run.status == before:
                    with contextlib.suppress(StoreError):  # the run is paused then, and says why
                        await ending()

        task = asyncio.create_task(unless(run.status))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def settled(self) -> None:
        """Returns when no run is about to end."""
        await asyncio.gather(*self._finishing, return_exceptions=True)

    def cannot_store(self, run: Run, error: StoreError) -> None:
        """Says that a run is paused because its events cannot be stored: nobody is shown what may be lost."""
        log.error("run %s pauses: %s", run.id, error.problem)
        note = f"It cannot be stored: {error.problem.limit}. {error.problem.remedy}"
        run.status, run.note, run.unstored = "paused", note, True
        self.ledger.tell(run, "problem", status="paused", note=run.note)

    async def _cannot_store(self, run: Run, error: StoreError) -> None:
        await self.halt(run, 0.0)
        self.cannot_store(run, error)

    async def _lost(self, trainer: Trainer, run: Run, lanes: list[LaneState]) -> None:
        """Says that a process was lost. The first time its lanes go on by themselves, from their checkpoints."""
        run.deaths += 1
        again = run.deaths < DEATHS
        then = "goes on from the last checkpoint" if again else "waits to be resumed"
        note = f"A training process {trainer.fate}; the run {then}."
        said = event("worker", status="lost", lanes=[lane.name for lane in lanes], resumed=again, text=note)
        try:
            await self.ledger.record(run, said)
        except StoreError as error:
            await self._cannot_store(run, error)
            return
        if not again and run in self.active:
            self.active.remove(run)
            self._finish(run, lambda: self.rest(run, "interrupted", note))
