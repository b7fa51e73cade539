"""F2: a run whose training processes and whose server are killed again and again has the numbers of a calm one, to the
last bit, and makes little of its work twice."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.training.archives import load
from server.training.bench import SAVE_UPDATES
from server.training.holding import COUNTS, TIMES
from tests.faults.seen import Seen, progress
from tests.server.live import Live
from tests.server.training_client import TINY, Visitor, numbers, served, trainers, visitor, within

LAB: dict[str, Any] = TINY | {"hidden": 24, "tokens": 100_000, "evaluations": 4, "batch": 8}
TOKENS_AN_UPDATE = 8 * 5  # batch rows, k
REDONE_SECONDS = 1.0
SERVER_EACH = 3  # every third kill is of the server
LAST_POINT = ("SELECT data FROM events JOIN runs ON number = run WHERE runs.id = ? AND lane = ? AND kind = 'point' "
              "ORDER BY events.id DESC LIMIT 1")  # fmt: skip
CHECKPOINTS = "SELECT lane, data FROM checkpoints JOIN runs ON number = run WHERE runs.id = ?"


@dataclass
class Killing:
    """The kills that are still to come, and what they cost."""

    left: int
    rng: random.Random
    done: int = 0
    seconds: list[float] = field(default_factory=list)  # of computing that was made twice, by lane
    tokens: list[int] = field(default_factory=list)

    def kill(self, server: Live, processes: list[int], folder: Path, run: str) -> bool:
        """Kills a training process, or the server; returns whether it was the server."""
        self.left, self.done = self.left - 1, self.done + 1
        whole = self.done % SERVER_EACH == 0
        if whole:
            server.process.kill()
            server.process.wait()
        else:
            os.kill(self.rng.choice(processes), signal.SIGKILL)
        self._note(folder / "runs.sqlite3", run)
        return whole

    def _note(self, file: Path, run: str) -> None:
        """Looks in the database by how much each lane was beyond its last checkpoint."""
        with closing(sqlite3.connect(file, timeout=10)) as connection:
            checkpoints = {lane: load(data) for lane, data in connection.execute(CHECKPOINTS, (run,))}
            for lane, kept in checkpoints.items():
                if row := connection.execute(LAST_POINT, (run, lane)).fetchone():
                    point = json.loads(row[0])
                    self.seconds.append(max(0.0, point["seconds"] - float(kept[TIMES][0])))
                    self.tokens.append(max(0, point["tokens"] - int(kept[COUNTS][0])))


def calm(folder: Path) -> dict[str, Any]:
    """Returns the numbers of a run that nothing happens to."""
    with served(folder) as server:
        owner = visitor(server)
        return numbers(owner.events(owner.until(owner.start(LAB), "done", seconds=120)["id"]))


def disturbed(folder: Path, killing: Killing) -> dict[str, Any]:
    """Returns the numbers of a run that is killed until it has come to its end, or no kills are left."""
    id = cookie = ""
    while True:
        with served(folder) as server:
            owner = Visitor(server.port, cookie)
            id = id or owner.start(LAB)
            cookie = owner.cookie
            if not _until_the_server_is_killed(server, owner, id, folder, killing):
                return numbers(owner.events(id))


def _until_the_server_is_killed(server: Live, owner: Visitor, id: str, folder: Path, killing: Killing) -> bool:
    """Returns whether the server was killed; otherwise the run has come to its end."""
    next_kill = time.monotonic() + killing.rng.uniform(0.2, 1.8)
    while (run := owner.run(id))["status"] != "done":
        if run["status"] in ("paused", "interrupted"):
            assert owner.control(id, "resume").status == 200
        processes = trainers(server)
        if killing.left and processes and run["status"] == "running" and time.monotonic() > next_kill:
            if killing.kill(server, processes, folder, id):
                return True
            next_kill = time.monotonic() + killing.rng.uniform(0.2, 1.8)
            progress(f"{killing.done} kills")
        time.sleep(0.05)
    return False


def scene(count: int, folder: Path) -> Seen:
    seen, killing = Seen(), Killing(count, random.Random(count))
    expected, runs, same = calm(folder / "calm"), 0, 0
    while killing.left:
        same += disturbed(folder / "killed", killing) == expected
        runs += 1
    servers = killing.done // SERVER_EACH
    seen.say(f"{killing.done} kills ({servers} of the server) in {runs} runs", killing.done >= count)
    seen.say(f"{same} of {runs} bit-identical", same == runs)
    seconds, tokens = max(killing.seconds, default=0.0), max(killing.tokens, default=0)
    little = seconds <= within(REDONE_SECONDS) or tokens <= SAVE_UPDATES * TOKENS_AN_UPDATE
    seen.say(f"made twice by a lane, of {len(killing.tokens)} that had a checkpoint at a kill: at most "
             f"{seconds:.2f} s of computing, {tokens:,} tokens", little)  # fmt: skip
    return seen


def test_a_run_that_is_killed_often_has_the_numbers_of_a_calm_one(tmp_path: Path) -> None:
    seen = scene(3, tmp_path)
    assert not seen.broken, seen.figures
