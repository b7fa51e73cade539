"""All lanes of a training process: which one is next, and what is reported when."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from engine.errors import InputError
from engine.training.corpus import Corpus, corpus_of
from server.training.holding import Holding, ending
from server.training.messages import HandBack, Report, Start, Take, lane_name

log = logging.getLogger("unrolled")
REPORT_SECONDS = 0.1  # between two reports
SAVE_SECONDS = 0.8  # between two checkpoints ...
SAVE_UPDATES = 100  # ... or so many updates, where a checkpoint is large
LARGE = 4 * 2**20


class Bench:
    """Advances the lane with the lowest seed, of those the one with the fewest tokens."""

    def __init__(self, send: Callable[[Report], None]) -> None:
        self._send = send
        self._start: Start | None = None
        self._corpus: Corpus | None = None
        self._lanes: dict[str, Holding] = {}
        self._reported = self._saved = time.monotonic()
        self._bytes = 0  # of all checkpoints, when last made

    @property
    def busy(self) -> bool:
        return bool(self._lanes)

    def obey(self, message: object) -> None:
        """Does what the front process says."""
        if isinstance(message, Start):
            self._start, self._corpus = message, None
        elif isinstance(message, Take):
            self._take(message)
        elif isinstance(message, HandBack):
            self._hand_back([name for name in message.lanes or list(self._lanes) if name in self._lanes])

    def advance(self) -> None:
        """Takes one update of one lane, and reports if it is time."""
        lane = min(self._lanes.values(), key=lambda lane: (lane.seed, lane.tokens, lane.strategy))
        first = lane.tokens == 0
        self._update(lane)
        now = time.monotonic()
        if lane.ended or lane.left == 0:
            self._hand_back([lane.name])
        elif self._must_save(now):
            self._save(now)
        elif now - self._reported >= REPORT_SECONDS or first:
            self._report()

    def _take(self, task: Take) -> None:
        """Begins with a lane; one that cannot even begin has failed."""
        assert self._start is not None
        name = lane_name(task.strategy, task.seed)
        try:
            if self._corpus is None:
                self._corpus = corpus_of(self._start.lab)
            self._lanes[name] = Holding(self._start.lab, self._corpus, task, self._start.weight_bytes)
        except Exception as error:
            self._send(Report(self._start.run, (ending(name, "failed", 0, 0, 0.0, reason(error)),), back=(name,)))

    def _update(self, lane: Holding) -> None:
        """A lane that fails ends alone; the others go on."""
        try:
            lane.advance()
        except Exception as error:
            lane.fail(reason(error))

    def _must_save(self, now: float) -> bool:
        unsaved = sum(lane.unsaved for lane in self._lanes.values())
        return now - self._saved >= SAVE_SECONDS and (self._bytes <= LARGE or unsaved >= SAVE_UPDATES)

    def _save(self, now: float) -> None:
        """Reports with a checkpoint of every lane that has moved."""
        made = [(lane.name, lane.checkpoint()) for lane in self._lanes.values() if lane.unsaved]
        self._bytes = sum(len(content) for _, content in made)
        self._saved = now
        self._report(made)

    def _hand_back(self, names: list[str]) -> None:
        """Gives lanes up, each with its checkpoint; one that has ended needs none."""
        made = [(name, self._lanes[name].checkpoint()) for name in names if not self._lanes[name].ended]
        self._report(made, names)
        for name in names:
            del self._lanes[name]

    def _report(self, checkpoints: list[tuple[str, bytes]] | None = None, back: list[str] | None = None) -> None:
        assert self._start is not None
        lanes = list(self._lanes.values())
        self._send(
            Report(
                self._start.run,
                tuple(event for lane in lanes for event in lane.events),
                tuple(checkpoints or ()),
                tuple(moment for lane in lanes for moment in lane.moments),
                tuple((lane.name, lane.standing()) for lane in lanes),
                tuple(back or ()),
            )
        )
        for lane in lanes:
            lane.events, lane.moments = [], []
        self._reported = time.monotonic()


def reason(error: Exception) -> str:
    """Returns why a lane failed, for the person who watches; a fault of ours goes to the log."""
    if isinstance(error, MemoryError):
        return "It needs more memory than a training process may have."
    if isinstance(error, InputError):
        return str(error)
    log.error("a lane failed", exc_info=error)
    return "A fault in Unrolled; the server's log has it."
