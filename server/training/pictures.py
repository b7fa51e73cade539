"""A run's pictures and report, made from its stored events; what is asked for again is not made again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np

from engine.training import Lab, RunView, verdict
from server.encoding import encode_binary, encode_json, nonfinite
from server.figures.training import Table, draw_all
from server.store.writer import Writer
from server.themes import resolve
from server.training.runs import Run
from server.training.view import PAGE, ViewBuilder
from server.training_report import report
from server.work import BINARY

KEPT = 16  # runs whose events are held in arrays, and answers that are held encoded
Asked = tuple[int, str, str, str]  # seed, measure, theme ("": role names), media


class Pictures:
    """Draws runs; of the last ones, it keeps what has been read, and reads only what is new."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._builders: OrderedDict[str, _Builder] = OrderedDict()
        self._answers: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    async def view(self, run: Run) -> RunView:
        """Returns the run as it stands; while it goes on, its verdict is a preliminary one."""
        builder = self._builders.setdefault(run.id, _Builder(run.lab))
        self._builders.move_to_end(run.id)
        _shrink(self._builders)
        async with builder.reading:
            status = run.status
            while events := await self._writer.events(run.id, builder.plain.last, PAGE):
                await asyncio.to_thread(builder.plain.take, events)
            return await asyncio.to_thread(builder.view, status)

    async def answer(self, run: Run, asked: Asked) -> bytes:
        """Returns the pictures and the verdict, encoded."""
        key = (run.id, run.last, run.status, asked)
        if key not in self._answers:
            view = await self.view(run)
            self._answers[key] = await asyncio.to_thread(encoded, view, asked)
            _shrink(self._answers)
        return self._answers[key]

    async def report(self, run: Run) -> bytes:
        """Returns the report as one HTML file."""
        view = await self.view(run)
        return (await asyncio.to_thread(report, view, run.title)).encode()


class _Builder:
    """A run's events in arrays, and its preliminary verdict, which changes with its evaluations only."""

    def __init__(self, lab: Lab) -> None:
        self.plain = ViewBuilder(lab)
        self.reading = asyncio.Lock()
        self._judged: tuple[Any, ...] = ()
        self._verdict: Any = None

    def view(self, status: str) -> RunView:
        found = self.plain.view(status)
        if found.verdict is not None:
            return found
        if not _evaluated(found):
            return found
        state = tuple((len(lane.moments), lane.ended) for lane in found.lanes)
        if state != self._judged:
            self._judged, self._verdict = state, verdict(found.lab, found.lanes, found.rates)
        return replace(found, verdict=self._verdict)


def _evaluated(view: RunView) -> bool:
    """Returns whether all lanes of a seed that go on have been evaluated after training."""
    return any(all(len(lane.moments) > 1 or lane.ended == "diverged" for lane in view.lanes if lane.seed == seed)
               for seed in view.lab.all_seeds)


def encoded(view: RunView, asked: Asked) -> bytes:
    """Returns the pictures and the verdict of a view, in the form that is asked for."""
    seed, measure, theme, media = asked
    drawn: dict[str, Any] = {name: vars(picture) for name, picture in draw_all(view, seed, measure).items()}
    if theme:
        drawn = {name: {**picture, "figure": resolve(picture["figure"], theme)} for name, picture in drawn.items()}
    if media != BINARY:
        drawn = {name: {**picture, "table": _plain(picture["table"])} for name, picture in drawn.items()}
    answer = {"pictures": drawn, "verdict": view.verdict, "final": view.status in ("done", "failed", "cancelled")}
    return encode_binary(answer) if media == BINARY else encode_json(answer)


def _plain(table: Table) -> dict[str, Any]:
    """Returns a table as JSON takes it: null for what is not finite, and beside the rows where and what that is,
    counted over all cells, row by row."""
    cells = [cell for row in table.rows for cell in row]
    numbers = np.array([cell if isinstance(cell, (int, float)) else 0.0 for cell in cells], dtype=np.float64)
    rows = [[None if isinstance(cell, float) and not np.isfinite(cell) else cell for cell in row] for row in table.rows]
    beside = nonfinite(numbers)
    return {"columns": table.columns, "rows": rows, "note": table.note} | ({"rows_nonfinite": beside} if beside else {})


def _shrink(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > KEPT:
        kept.popitem(last=False)
