"""One lane in a training process: its updates made into events, its checkpoints, and what it takes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from engine.training.corpus import Corpus
from engine.training.lab import Lab
from engine.training.lane import Lane
from engine.training.snapshots import Moment, Snapshot
from server.encoding import encode_json
from server.training.archives import dump, load
from server.training.measuring import held, traced
from server.training.messages import Happened, Standing, Take, lane_name
from server.training.points import Merger

COUNTS = "service.counts"
TIMES = "service.times"
TRACED_UPDATE = 2  # the first one allocates what is kept for good


class Holding:
    """A lane that is being trained. The same lane makes the same events, apart from the seconds in them."""

    def __init__(self, lab: Lab, corpus: Corpus, task: Take, weight_bytes: int) -> None:
        self.lab, self.strategy, self.seed = lab, task.strategy, task.seed
        self.name = lane_name(task.strategy, task.seed)
        self.left = task.updates
        self.ended = ""
        self.events: list[Happened] = []
        self.moments: list[tuple[str, int, bytes]] = []
        self.unsaved = 0  # updates since the last checkpoint
        self._rates, self._room = task.rates, weight_bytes
        stored = None if task.checkpoint is None else load(task.checkpoint)
        own = {} if stored is None else {name: stored.pop(name) for name in list(stored) if name.startswith("service.")}
        self.lane = Lane(lab, task.strategy, task.seed, corpus, stored)
        self._merger = Merger(lab.tokens, own or None)
        counts: list[int] = own[COUNTS].tolist() if own else [0] * 4
        self.tokens, self._updates, self._changes, self._moments = counts
        times: list[float] = own[TIMES].tolist() if own else [0.0] * 2
        self.seconds, self.elapsed = times

    def advance(self) -> None:
        """Takes one update, or ends the lane."""
        computed, begun = time.process_time(), time.monotonic()
        self._change_rate()
        snapshot = self._traced() if self._updates == TRACED_UPDATE else next(self.lane, None)
        self.seconds += time.process_time() - computed
        self.elapsed += time.monotonic() - begun
        if snapshot is None:
            self._end("done")
            return
        self.unsaved += 1
        self._note(snapshot)
        if self.left is not None:
            self.left -= 1

    def checkpoint(self) -> bytes:
        """Returns all that the lane needs to go on elsewhere, as NumPy's archive."""
        self.unsaved = 0
        counts = np.array([self.tokens, self._updates, self._changes, self._moments])
        own = {COUNTS: counts, TIMES: np.array([self.seconds, self.elapsed])}
        return dump({**self.lane.checkpoint(), **self._merger.state(), **own})

    def standing(self) -> Standing:
        return Standing(self.tokens, self.seconds, self.elapsed, self.ended)

    def fail(self, reason: str) -> None:
        """Ends the lane for a reason that is not its own."""
        self._end("failed", reason)

    def _change_rate(self) -> None:
        """A change of the learning rate holds from the first update at or beyond its token count."""
        while self._changes < len(self._rates) and self._rates[self._changes][0] <= self.tokens:
            self.lane.rate = self._rates[self._changes][1]
            self._changes += 1

    def _traced(self) -> Snapshot | None:
        """Returns the next snapshot; says how much memory the strategy's updates take: the arrays that they hold
        (weights, gradients, optimiser, tape), and the most that this one took beyond them."""
        snapshot, beyond = traced(lambda: next(self.lane, None))
        self._happened("strategy", "peak", {"strategy": self.strategy, "peak_bytes": held(self.lane.step) + beyond})
        return snapshot

    def _note(self, snapshot: Snapshot) -> None:
        if snapshot.tokens > self.tokens:
            self._updates += 1
            self.tokens = snapshot.tokens
            self._point(self._merger.add(snapshot))
        if snapshot.moment is not None:
            self._moment(snapshot.moment)
        if snapshot.diverged:
            self._end("diverged")

    def _point(self, point: dict[str, Any] | None) -> None:
        if point is not None:
            self._happened("point", str(point["tokens"]), {**point, "seconds": round(self.seconds, 4)})

    def _moment(self, moment: Moment) -> None:
        weights = {name: array.astype(self.lab.dtype) for name, array in self.lane.weights().items()}
        kept = keeps(self._moments, self.lab.evaluations, sum(array.nbytes for array in weights.values()), self._room)
        self._moments += 1
        if kept:
            self.moments.append((self.name, moment.tokens, dump(weights)))
        carry, reset = moment.held_out, moment.held_out_reset
        self._happened("moment", str(moment.tokens), {
            "tokens": moment.tokens, "update": moment.update,
            "loss_carry": float(carry.loss), "loss_reset": float(reset.loss),
            "accuracy_carry": float(carry.accuracy), "accuracy_reset": float(reset.accuracy),
            "sample": moment.sample, "probe": np.asarray(moment.probe, dtype=np.float64),
            "half_life": float(moment.half_life), "weights": kept,
        })  # fmt: skip

    def _end(self, how: str, reason: str = "") -> None:
        self._point(self._merger.rest())
        self.ended = how
        self.events.append(ending(self.name, how, self.tokens, self._updates, self.seconds, reason))

    def _happened(self, kind: str, key: str, data: dict[str, Any]) -> None:
        self.events.append(Happened(kind, self.name, key, encode_json({"lane": self.name, **data}).decode()))


def ending(lane: str, how: str, tokens: int, update: int, seconds: float, reason: str = "") -> Happened:
    """Returns the event of a lane's end."""
    said = {"lane": lane, "status": how, "tokens": tokens, "update": update, "seconds": round(seconds, 4)}
    return Happened("lane", lane, "end", encode_json(said | ({"reason": reason} if reason else {})).decode())


def keeps(index: int, evaluations: int, size: int, room: int) -> bool:
    """Returns whether the weights of moment `index` of 0 ... evaluations are kept: evenly spaced, the last one in any
    case, and all of them together in `room` bytes."""
    fit = room // max(size, 1)
    if fit < 2:
        return fit == 1 and index == evaluations
    every = -(-evaluations // (fit - 1))
    return index == evaluations or (index % every == 0 and index // every < fit - 1)
