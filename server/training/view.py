"""A run in plain arrays, from its stored events: what figures, results and the verdict are made from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.training import POINT_NAMES, Lab, LaneView, MomentView, RunView, Verdict, verdict
from server.store.rows import Event
from server.training.messages import lane_name

PAGE = 2000
SPECIAL = {"nan": math.nan, "+inf": math.inf, "-inf": -math.inf}
NUMBERS = ("loss_carry", "loss_reset", "accuracy_carry", "accuracy_reset", "half_life")


def read_event(data_json: str) -> dict[str, Any]:
    """Returns an event's data, with the numbers that JSON cannot say back in their places."""
    data: dict[str, Any] = json.loads(data_json)
    for name in [name for name in data if name.endswith("_nonfinite")]:
        whole = name.removesuffix("_nonfinite")
        for kind, places in data.pop(name).items():
            if not isinstance(data[whole], list):
                data[whole] = SPECIAL[kind]
                continue
            for place in places:
                data[whole][place] = SPECIAL[kind]
    return data


class ViewBuilder:
    """Takes a run's events, in order, and returns the view of what it has had so far."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.last = 0
        self._points: dict[str, list[list[float]]] = {lane_name(*lane): [] for lane in lab.lanes}
        self._moments: dict[str, list[MomentView]] = {name: [] for name in self._points}
        self._ended: dict[str, dict[str, Any]] = {}
        self._peaks: dict[int, int] = {}
        self._rates: list[tuple[int, float]] = []

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            self.last = event.id
            self._take(event.kind, event.lane, event.data_json)

    def _take(self, kind: str, lane: str, data_json: str) -> None:
        data = read_event(data_json)
        if kind == "point":
            self._points[lane].append([data[name] for name in POINT_NAMES])
        elif kind == "moment":
            self._moments[lane].append(_moment(data))
        elif kind == "lane":
            self._ended[lane] = data
        elif kind == "strategy":
            self._peaks[data["strategy"]] = max(data["peak_bytes"], self._peaks.get(data["strategy"], 0))
        elif kind == "rate":
            self._rates.append((data["tokens"], data["rate"]))

    def view(self, status: str) -> RunView:
        """Returns the run as it stands; its verdict is there once it has come to rest."""
        lanes = tuple(self._lane(strategy, seed, status) for strategy, seed in self.lab.lanes)
        rates = tuple(self._rates)
        decided: Verdict | None = None
        if status in ("done", "failed", "cancelled"):
            decided = verdict(self.lab, lanes, rates)
        return RunView(self.lab, status, lanes, decided, rates)

    def _lane(self, strategy: int, seed: int, status: str) -> LaneView:
        name = lane_name(strategy, seed)
        columns = np.array(self._points[name], dtype=np.float64).reshape(-1, len(POINT_NAMES)).T
        points = dict(zip(POINT_NAMES, columns, strict=True))
        ended = str(self._ended[name]["status"]) if name in self._ended else ""
        if not ended and status in ("failed", "cancelled"):
            ended = "stopped"
        seconds = float(points["seconds"][-1]) if points["seconds"].size else 0.0
        peak = self._peaks.get(strategy, 0)
        return LaneView(strategy, seed, points, tuple(self._moments[name]), seconds, peak, ended)


def _moment(data: dict[str, Any]) -> MomentView:
    numbers = {name: float(data[name]) for name in NUMBERS}
    probe = np.array(data["probe"], dtype=np.float64)
    return MomentView(tokens=data["tokens"], update=data["update"], sample=data["sample"], probe=probe, **numbers)


def viewed(lab: Lab, status: str, events: Sequence[Event]) -> RunView:
    """Returns the view of all these events."""
    builder = ViewBuilder(lab)
    builder.take(events)
    return builder.view(status)
