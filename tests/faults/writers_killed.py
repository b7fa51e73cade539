"""F1: programs that are killed in the middle of writing lose nothing that was acknowledged.

tests/store/test_kill.py is the short form, and has the checks: every acknowledged batch is there and whole, no id is
missing or there twice, and the file is in order."""

from __future__ import annotations

from pathlib import Path

from scripts.postgres import Postgres
from tests.faults.seen import Seen, progress
from tests.store.test_kill import kill_often

AT_ONCE = 4


def scene(count: int, folder: Path) -> Seen:
    seen = Seen()
    with Postgres.started() as postgres:
        share = {"SQLite": (f"sqlite:///{folder}/runs.sqlite3", count - count // 4),
                 "PostgreSQL": (postgres.new_database(), count // 4)}  # fmt: skip
        for name, (url, kills) in share.items():
            kills += -kills % AT_ONCE
            done = acknowledged = events = 0
            for batches, kept in kill_often(url, kills, AT_ONCE):
                done, acknowledged, events = done + AT_ONCE, acknowledged + batches, kept
                progress(f"{name}: {done} of {kills} kills")
            seen.say(f"{name}: {done} kills, {acknowledged} acknowledged commits, {events} events kept, 0 lost, "
                     "0 torn, integrity ok", done >= kills)  # fmt: skip
    return seen
