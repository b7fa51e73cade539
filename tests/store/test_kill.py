"""Programs that are killed in the middle of everything lose nothing that was acknowledged.

`pytest tests/store/test_kill.py --kills 200` kills more often than the tests do.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store import NewRun, Store, new_id
from tests.store.examining import check_file, examine

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
LONGEST = 0.15
"""seconds from the first acknowledged batch to the kill, at most"""


def started(url: str, run: str, name: str, most: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "tests.store.appender", url, run, name, str(most)], cwd=ROOT,
                            stdout=subprocess.PIPE, text=True)


def killed(children: dict[str, subprocess.Popen[str]], delay: float) -> dict[str, int]:
    """Kills the programs when each has had a first answer and some time has gone by; returns what they were told."""
    first = {}
    for name, child in children.items():
        assert child.stdout is not None
        first[name] = child.stdout.readline()
    time.sleep(delay)
    for child in children.values():
        child.kill()
    acknowledged = {}
    for name, child in children.items():
        assert child.stdout is not None
        with child.stdout:
            lines = (first[name] + child.stdout.read()).split("\n")
        assert child.wait() == -9
        # The last line may be half written; the one before it was not.
        acknowledged[name] = int(lines[-2].split()[0])
    return acknowledged


def kill_often(url: str, kills: int, at_once: int = 2) -> Iterator[tuple[int, int]]:
    """Some programs at a time append to one run and are killed; then others go on from there. Yields after each round
    how many batches were acknowledged in it, and how many events are kept."""
    rng = random.Random(url.rpartition("/")[2])
    store = Store.open(url)
    run = store.create(NewRun(new_id(), "ann", "{}")).id
    kept, before = 0, dict.fromkeys([f"0.{number}" for number in range(at_once)], -1)
    for _ in range(0, kills, at_once):
        children = {name: started(url, run, name) for name in before}
        acknowledged = killed(children, rng.uniform(0, LONGEST))
        now = examine(store, run, acknowledged)
        assert now > kept
        kept = now
        yield sum(acknowledged[name] - before[name] for name in before), kept
        before = acknowledged
    store.close()
    check_file(url)
    again = Store.open(url)
    assert again.notices == ()
    assert examine(again, run, {}) == kept
    again.close()


def test_kill_9_loses_no_acknowledged_event(url: str, pytestconfig: pytest.Config) -> None:
    for acknowledged, kept in kill_often(url, int(pytestconfig.getoption("--kills", KILLS))):
        assert kept > acknowledged > 0


def test_programs_that_begin_one_database_at_once_share_it(url: str) -> None:
    """Each of four opens it, makes its tables if nobody has, and appends; none waits in vain."""
    probe = "from server.store import *; import sys; s = Store.open(sys.argv[1]); print(s.runs('ann')); s.close()"
    children = [subprocess.Popen([sys.executable, "-c", probe, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
                for _ in range(4)]
    assert [child.communicate()[0].strip() for child in children] == ["[]"] * 4
    assert [child.returncode for child in children] == [0] * 4
    store = Store.open(url)
    run = store.create(NewRun(new_id(), "ann", "{}")).id
    writers = {f"0.{n}": started(url, run, f"0.{n}", 30) for n in range(4)}
    for child in writers.values():
        child.communicate()
        assert child.returncode == 0
    assert examine(store, run, dict.fromkeys(writers, 29)) > 4 * 30
    store.close()
    check_file(url)
