"""What goes into the store and comes out of it: frozen, and without a word about databases. (leaf)"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

STATUSES = ("queued", "running", "paused", "done", "failed", "cancelled", "interrupted")
UNFINISHED = ("queued", "running", "paused")
CLAIMED = ("queued", "running")  # a server is at work on them, or has promised to be
RUN_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")


def new_id() -> str:
    """Returns the id of a new run: 128 random bits, so that nobody finds a run by guessing."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class NewRun:
    """A run that begins as `queued`. `key` is the visitor's Idempotency-Key: the same one makes the same run."""

    id: str
    visitor: str
    lab_json: str
    title: str = ""
    key: str | None = None


@dataclass(frozen=True)
class RunRow:
    """A run as it is kept. Times are seconds since 1970 in UTC; `last` is the id of its last event, 0 for none."""

    id: str
    visitor: str
    lab_json: str
    title: str
    key: str | None
    status: str
    note: str
    created: float
    updated: float
    last: int


@dataclass(frozen=True)
class NewEvent:
    """Something that happened in a run, already encoded as JSON.

    Of the events of one run with the same lane, kind and key only the first is kept: a resumed lane makes the
    same ones again. One whose key is None is always kept.
    """

    kind: str
    lane: str
    key: str | None
    data_json: str


@dataclass(frozen=True)
class Event:
    """An event as it is kept: the ids of a run's events are 1, 2, 3, ... without a gap."""

    id: int
    kind: str
    lane: str
    key: str | None
    data_json: str


@dataclass(frozen=True)
class Append:
    """What is added to a run at once: all of it is kept, or nothing. A checkpoint replaces its lane's last one."""

    run: str
    events: Sequence[NewEvent] = ()
    status: str | None = None
    note: str | None = None
    checkpoints: Sequence[tuple[str, bytes]] = ()
    moments: Sequence[tuple[str, int, bytes]] = ()


@dataclass(frozen=True)
class Bounds:
    """The store's limits. `kept_days` 0 keeps runs for ever; `reserved_bytes` of the disk are left free of new runs."""

    busy_seconds: float = 5.0
    kept_runs: int = 200
    kept_days: float = 0.0
    reserved_bytes: int = 0
