"""A run as the front process knows it: its lanes, how far they are, and what may be done with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.training import Lab, parse_lab
from server.store.rows import Event, RunRow
from server.training.messages import RESTING, Standing, Take, lane_name

NEW = Standing(0, 0.0, 0.0)


@dataclass(eq=False)
class LaneState:
    """One lane of a run, wherever it is."""

    strategy: int
    seed: int
    standing: Standing = NEW
    saved: bool = False  # the store has a checkpoint of it
    held: bool = False  # a process has it

    @property
    def name(self) -> str:
        return lane_name(self.strategy, self.seed)


@dataclass(eq=False)
class Run:
    """A run that is going on, or that was asked about."""

    id: str
    visitor: str
    title: str
    lab: Lab
    created: float
    status: str = "queued"
    note: str = ""
    lanes: dict[str, LaneState] = field(default_factory=dict)
    rates: list[tuple[int, float]] = field(default_factory=list)
    peaks: dict[int, int] = field(default_factory=dict)  # strategy -> bytes
    verdict: str | None = None  # as JSON
    last: int = 0  # id of its last event
    going: bool = False  # its lanes may be handed out
    unstored: bool = False  # how it stands could not be stored, so that only this server knows
    deaths: int = 0  # processes lost since somebody last started it
    steps: set[str] = field(default_factory=set)  # lanes that are to take one update each
    storing: asyncio.Lock = field(default_factory=asyncio.Lock)  # one append after the other, so that ids are in order
    control: asyncio.Lock = field(default_factory=asyncio.Lock)  # one change of what it does after the other
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        if not self.lanes:
            states = [LaneState(strategy, seed) for strategy, seed in self.lab.lanes]
            self.lanes = {state.name: state for state in states}

    @property
    def resting(self) -> bool:
        """Returns whether nothing happens until somebody asks for it."""
        return self.status in RESTING

    def unfinished(self) -> list[LaneState]:
        return [lane for lane in self.lanes.values() if not lane.standing.ended]

    def open_lanes(self) -> list[LaneState]:
        """Returns the lanes that wait for a process, in the order in which they are to be trained."""
        waiting = [lane for lane in self.unfinished() if not lane.held]
        return waiting if self.going else [lane for lane in waiting if lane.name in self.steps]

    def front_lanes(self) -> list[LaneState]:
        """Returns the lanes that are next: those of the lowest seed that has not ended."""
        rest = self.unfinished()
        return [lane for lane in rest if lane.seed == min(other.seed for other in rest)]

    def task(self, lane: LaneState, checkpoint: bytes | None) -> Take:
        """Returns what a process is told to do with a lane."""
        updates = None if self.going else 1
        return Take(lane.strategy, lane.seed, checkpoint, tuple(self.rates), updates)

    def note_event(self, event: Event) -> None:
        """Takes in what an event says, whether it is new or comes from the store."""
        self.last = event.id
        if event.kind in ("point", "moment"):
            return
        data = json.loads(event.data_json)
        if event.kind == "lane":
            lane = self.lanes[event.lane]
            seconds = data["seconds"]
            lane.standing = Standing(data["tokens"], seconds, max(seconds, lane.standing.elapsed), data["status"])
        elif event.kind == "strategy":
            self.peaks[data["strategy"]] = max(data["peak_bytes"], self.peaks.get(data["strategy"], 0))
        elif event.kind == "rate":
            self.rates.append((data["tokens"], data["rate"]))
        elif event.kind == "verdict":
            self.verdict = event.data_json

    def tokens(self) -> int:
        return sum(lane.standing.tokens for lane in self.lanes.values())

    def seconds(self) -> float:
        """Returns how long all its lanes have computed together."""
        return sum(lane.standing.seconds for lane in self.lanes.values())

    def remaining(self, processes: int) -> float | None:
        """Returns the seconds that it still takes on so many processes, from what its lanes took; None: not known."""
        paces = {strategy: pace for strategy in range(len(self.lab.strategies)) if (pace := self._pace(strategy))}
        if not paces:
            return None
        usual = sum(paces.values()) / len(paces)
        left = [
            (self.lab.tokens - lane.standing.tokens) * paces.get(lane.strategy, usual) for lane in self.unfinished()
        ]
        return max(sum(left) / max(processes, 1), max(left, default=0.0))

    def _pace(self, strategy: int) -> float:
        """Returns the seconds a token that a strategy took so far; 0 where it has not begun."""
        standings = [lane.standing for lane in self.lanes.values() if lane.strategy == strategy]
        tokens = sum(standing.tokens for standing in standings)
        return sum(standing.elapsed for standing in standings) / tokens if tokens else 0.0


def recalled(row: RunRow, lab: Lab, events: Iterable[Event]) -> Run:
    """Returns the run that the store has kept. Its unfinished lanes go on from their checkpoints."""
    run = Run(row.id, row.visitor, row.title, lab, row.created, row.status, row.note)
    latest: dict[str, Event] = {}
    for event in events:
        run.note_event(event)
        if event.kind == "point":
            latest[event.lane] = event
    for name, event in latest.items():
        data, lane = json.loads(event.data_json), run.lanes[name]
        ended = lane.standing.ended
        lane.standing = Standing(data["tokens"], data["seconds"], max(data["seconds"], lane.standing.elapsed), ended)
    for lane in run.lanes.values():
        lane.saved = True  # the store is asked; a lane that never came so far has none there
    return run


def lab_of(row: RunRow) -> Lab:
    """Returns the lab of a stored run."""
    return parse_lab(json.loads(row.lab_json))


def described(run: Run, processes: int) -> dict[str, Any]:
    """Returns how far a run is, as JSON takes it."""
    total = run.lab.tokens * len(run.lanes)
    unfinished = bool(run.unfinished())
    remaining = run.remaining(processes) if unfinished and run.status not in ("done", "failed", "cancelled") else 0.0
    return {
        "tokens": run.tokens(),
        "total_tokens": total,
        "share": 1.0 if run.status == "done" else run.tokens() / total,
        "remaining_seconds": None if remaining is None else round(remaining, 2),
        "seconds": round(run.seconds(), 3),
    }
