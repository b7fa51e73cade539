"""F2: a run whose training processes are killed or hang, and whose server is killed, again and again, has the numbers
of a calm one, to the last bit, and makes little of its work twice. What happens to a process is noticed soon."""

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
from tests.faults.seen import Seen, progress, spread
from tests.server.live import Live, alive
from tests.server.training_client import TINY, Visitor, numbers, served, trainers, visitor, within

LAB: dict[str, Any] = TINY | {"hidden": 24, "tokens": 100_000, "evaluations": 4, "batch": 8}
TOKENS_AN_UPDATE = 8 * 5  # batch rows, k
REDONE_SECONDS = 1.0
NOTICED_SECONDS = 2.0
LOST_SECONDS = 60.0  # after which nobody will notice any more
SERVER_EACH = 3  # every third kill is of the server
LAST_POINT = ("SELECT data FROM events JOIN runs ON number = run WHERE runs.id = ? AND lane = ? AND kind = 'point' "
              "ORDER BY events.id DESC LIMIT 1")  # fmt: skip
LOST = "SELECT count(*) FROM events JOIN runs ON number = run WHERE runs.id = ? AND kind = 'worker'"
ADVANCED = ("SELECT count(DISTINCT lane) FROM events JOIN runs ON number = run WHERE runs.id = ? AND kind = 'point' "
            "AND events.id > (SELECT max(id) FROM events WHERE run = number AND kind IN ('worker', 'state'))")
CHECKPOINTS = "SELECT lane, data FROM checkpoints JOIN runs ON number = run WHERE runs.id = ?"


@dataclass
class Harm:
    """A process that was killed or stopped just now; `lost`: how many its run had lost before."""

    process: int
    lost: int
    hangs: bool
    at: float = field(default_factory=time.monotonic)


@dataclass
class Killing:
    """The kills that are still to come, and what they cost."""

    left: int
    rng: random.Random
    done: int = 0
    latest: Harm | None = None  # that the run does not say yet
    noticed: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})  # hung? -> seconds
    seconds: list[float] = field(default_factory=list)  # of computing that was made twice, by lane
    tokens: list[int] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Returns whether the server is killed next."""
        return (self.done + 1) % SERVER_EACH == 0

    def ready(self, processes: list[int], folder: Path, run: str) -> bool:
        """Returns whether there is somebody to be killed: the server, or processes that have a lane each."""
        if not self.left or self.latest is not None or not processes:
            return False
        return self.whole or _asked(folder, ADVANCED, run) == len(processes) == len(LAB["strategies"])

    def kill(self, server: Live, processes: list[int], folder: Path, run: str) -> bool:
        """Kills or stops a training process, or kills the server; returns whether it was the server."""
        whole = self.whole
        self.left, self.done = self.left - 1, self.done + 1
        if whole:
            server.process.kill()
            server.process.wait()
        else:
            how = self.rng.choice((signal.SIGKILL, signal.SIGSTOP))
            self.latest = Harm(self.rng.choice(processes), _asked(folder, LOST, run), how == signal.SIGSTOP)
            os.kill(self.latest.process, how)
        self._note(folder / "runs.sqlite3", run)
        return whole

    def look(self, folder: Path, run: str, over: bool) -> None:
        """Looks whether the run says that it has lost a process. One whose lane has just ended is not missed: the run
        comes to its end without it, as it would not without a lane."""
        if (harm := self.latest) is None:
            return
        seconds = time.monotonic() - harm.at
        if _asked(folder, LOST, run) > harm.lost:
            self.noticed[harm.hangs].append(seconds)
            self.latest = None
        elif over:
            if alive(harm.process):
                os.kill(harm.process, signal.SIGKILL)
            self.latest = None
        assert seconds < within(LOST_SECONDS), "a process was lost, and nobody noticed"

    def _note(self, file: Path, run: str) -> None:
        """Looks in the database by how much each lane was beyond its last checkpoint."""
        with closing(sqlite3.connect(file, timeout=10)) as connection:
            checkpoints = {lane: load(data) for lane, data in connection.execute(CHECKPOINTS, (run,))}
            for lane, kept in checkpoints.items():
                if row := connection.execute(LAST_POINT, (run, lane)).fetchone():
                    point = json.loads(row[0])
                    self.seconds.append(max(0.0, point["seconds"] - float(kept[TIMES][0])))
                    self.tokens.append(max(0, point["tokens"] - int(kept[COUNTS][0])))


def _asked(folder: Path, counted: str, run: str) -> int:
    """Returns a number that is kept of a run."""
    with closing(sqlite3.connect(folder / "runs.sqlite3", timeout=10)) as connection:
        return int(connection.execute(counted, (run,)).fetchone()[0])


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
        killing.look(folder, id, False)
        if run["status"] in ("paused", "interrupted"):
            assert owner.control(id, "resume").status == 200
        processes = trainers(server)
        due = run["status"] == "running" and time.monotonic() > next_kill
        if due and killing.ready(processes, folder, id):
            if killing.kill(server, processes, folder, id):
                return True
            next_kill = time.monotonic() + killing.rng.uniform(0.2, 1.8)
            progress(f"{killing.done} kills")
        time.sleep(0.05)
    killing.look(folder, id, True)
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
    for hung, how in ((False, "killed"), (True, "hanging")):
        times = killing.noticed[hung]
        seen.say(f"{how} while at work, noticed: {len(times)} processes, {spread(times)}",
                 not times or max(times) <= within(NOTICED_SECONDS))  # fmt: skip
    seen.say(f"{sum(map(len, killing.noticed.values()))} noticed in all", any(killing.noticed.values()))
    seconds, tokens = max(killing.seconds, default=0.0), max(killing.tokens, default=0)
    little = seconds <= within(REDONE_SECONDS) or tokens <= SAVE_UPDATES * TOKENS_AN_UPDATE
    seen.say(f"made twice by a lane, of {len(killing.tokens)} that had a checkpoint at a kill: at most "
             f"{seconds:.2f} s of computing, {tokens:,} tokens", little)  # fmt: skip
    return seen


def test_a_run_that_is_killed_often_has_the_numbers_of_a_calm_one(tmp_path: Path) -> None:
    seen = scene(3, tmp_path)
    assert not seen.broken, seen.figures
