"""F3: compute processes that crash, are killed, hang, compute for ever, keep memory or have none, and that die at their
start; meanwhile other clients ask for small analyses, and none of them may notice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.faulty_worker import HARMS
from tests.faults.seen import Seen, progress, spread
from tests.server.live import Live, alive, live, until
from tests.server.training_client import Visitor, within

PROCESSES = 3  # two general ones and a light one
CLIENTS = 3
BACK_SECONDS = 3.0
NOTICED_SECONDS = 2.0
QUESTION = "/api/v1/analysis?steps=8&hidden=4&batch=1&certificate=false&seed="
TWICE = ("crash", "killed", "hang")  # whose question is tried once more
ENDS = (*TWICE, "spin")  # in the middle of a question
EXPECTED = {"leak": 200, "memory": 422}


@dataclass
class Others:
    """Clients who ask for a small analysis five times a second."""

    server: Live
    statuses: Counter[int | str] = field(default_factory=Counter)
    slowest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Others:
        self.threads = [threading.Thread(target=self.ask, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def ask(self, number: int) -> None:
        me = Visitor(self.server.port)
        me.ask("GET", "/train")  # which gives a cookie
        seed = number * 10**6
        while not self.over.wait(0.2):
            seed += 1
            begun = time.monotonic()
            try:
                self.statuses[me.ask("GET", f"{QUESTION}{seed * 1000}").status] += 1
            except OSError as error:
                self.statuses[type(error).__name__] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)

    @property
    def errors(self) -> int:
        return sum(self.statuses.values()) - self.statuses[200]


@dataclass
class Sampler:
    """Looks twenty times a second how many processes have ended and are warm, and notes how long after each harm that
    was known, and all were back."""

    server: Live
    log: Path
    noticed: dict[int, float] = field(default_factory=dict)  # process that came to harm -> seconds
    back: dict[int, float] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Sampler:
        self.before = ended(self.server)
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def harmed(self) -> list[tuple[int, float]]:
        """Returns the processes that have come to harm so far, and when."""
        lines = [line.split() for line in self.log.read_text().splitlines() if line.startswith("harm")]
        return [(int(pid), float(at)) for _, pid, at in lines]

    def settled(self) -> bool:
        """Returns whether it is known when all were back after each that has ended: then the next may come to harm."""
        return all(pid in self.back or alive(pid) for pid, _ in self.harmed())

    def sample(self) -> None:
        while not self.over.wait(0.05):
            known = ended(self.server) - self.before
            for pid, at in self.harmed()[:known]:
                self.noticed.setdefault(pid, time.monotonic() - at)
            waiting = [(pid, at) for pid, at in self.harmed() if pid not in self.back]
            if waiting and warm(self.server) == PROCESSES:
                now = time.monotonic()
                self.back |= {pid: now - at for pid, at in waiting if not alive(pid)}


def warm(server: Live) -> int:
    status, body = server.get("/readyz")
    return int(body["processes"]) if status == 200 else 0


def ended(server: Live) -> int:
    """Returns how many processes the server knows to have ended by themselves, or for what they did."""
    text = Visitor(server.port).ask("GET", "/metrics").body.decode()
    return round(float(text.partition("\nunrolled_processes_ended_total ")[2].split()[0]))


def harm(server: Live, kind: str, count: int, seen: Seen, log: Path) -> None:
    """Has so many processes come to one harm, and notes what came of it."""
    log.write_text("")
    statuses: Counter[int] = Counter()
    with Others(server) as others, Sampler(server, log) as sampler:
        for number in range(-(-count // 2) if kind in TWICE else count):
            progress(f"{kind}: {number + 1}")
            statuses[server.get(f"{QUESTION}{HARMS[kind][0] + number}", 60)[0]] += 1
            until(lambda: warm(server) == PROCESSES and sampler.settled(), 30)
        time.sleep(0.2)
    harmed, lasting = len(sampler.harmed()), list(sampler.back.values())
    seen.say(f"{kind}: {harmed} processes", harmed == count)
    seen.say(f"answered {dict(statuses)}", set(statuses) == {EXPECTED.get(kind, 503)})
    if kind in ENDS:
        times = list(sampler.noticed.values())
        seen.say(f"noticed: {spread(times)}", len(times) == count and max(times) <= within(NOTICED_SECONDS))
    if kind != "memory":  # of which none ends
        seen.say(f"all back: {spread(lasting)}", bool(lasting) and max(lasting) <= within(BACK_SECONDS))
    seen.say(f"others: {sum(others.statuses.values())} asked, {others.errors} errors, slowest {others.slowest:.2f} s",
             others.errors == 0 and others.statuses[200] > 0)  # fmt: skip


def crash_loop(server: Live, seen: Seen, flag: Path, log: Path, seconds: float) -> None:
    """Processes that die at their start are tried more and more rarely, and /readyz says so."""
    log.write_text("")
    flag.touch()
    for pid in server.children():
        os.kill(pid, signal.SIGKILL)
    until(lambda: server.get("/readyz")[0] == 503, 10)
    time.sleep(seconds)
    starts = log.read_text().count("start")
    status = server.get("/readyz")[0]
    seen.say(f"crash loop: {starts} starts of {PROCESSES} processes in {seconds:g} s, /readyz {status}",
             status == 503 and PROCESSES <= starts <= PROCESSES * 2 * seconds)  # fmt: skip
    seen.say(f"/healthz {server.get('/healthz')[0]}", server.get("/healthz")[0] == 200)
    flag.unlink()
    begun = time.monotonic()
    until(lambda: warm(server) == PROCESSES, 30)
    seen.say(f"all back {time.monotonic() - begun:.1f} s after the cause has gone")


def scene(count: int, folder: Path, kinds: tuple[str, ...] = tuple(HARMS), loop_seconds: float = 5.0) -> Seen:
    seen, flag, log = Seen(), folder / "flag", folder / "log"
    log.touch()
    settings = {"workers": 2, "light_workers": 1, "worker_nice": 0, "light_nice": 0, "worker_bytes": 768 * 2**20,
                "worker_held_bytes": 300 * 2**20, "faulty_start": flag, "faulty_log": log, "data": folder}
    with live("tests.faults.faulty_server", **settings) as server:
        until(lambda: warm(server) == PROCESSES)
        for kind in kinds:
            harm(server, kind, count, seen, log)
        crash_loop(server, seen, flag, log, loop_seconds)
        code, _, errors = server.stop()
    seen.say(f"exit code {code}", code == 0)
    seen.say(f"tracebacks: {errors.count('Traceback')}", "Traceback" not in errors)
    return seen


def test_processes_that_come_to_harm_harm_nobody_else(tmp_path: Path) -> None:
    seen = scene(2, tmp_path, ("crash", "spin", "leak", "memory"), 2.0)
    assert not seen.broken, seen.figures
