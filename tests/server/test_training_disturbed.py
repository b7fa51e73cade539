"""Runs that are disturbed at random, by people and by kill -9, on either database: the numbers are those of a calm run.

`pytest tests/server/test_training_disturbed.py --disturbed 20` disturbs more runs than the tests do.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.postgres import Postgres
from tests.server.live import Live
from tests.server.training_client import TINY, Visitor, numbers, served, trainers, visitor

STRATEGIES = [{"k": 5}, {"k": 5, "value": "reset"}, {"k": 10}]
LAB = TINY | {"hidden": 16, "tokens": 30_000, "evaluations": 3, "batch": 8, "strategies": STRATEGIES}
ACTIONS = ("pause", "resume", "resume", "step", "kill", "wait")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The numbers of a run that nobody disturbs."""
    with served(tmp_path_factory.mktemp("calm")) as server:
        owner = visitor(server)
        return numbers(owner.events(owner.until(owner.start(LAB), "done")["id"]))


def disturb(server: Live, owner: Visitor, id: str, rng: random.Random) -> None:
    """Does one thing or another with a run."""
    action = rng.choice(ACTIONS)
    processes = trainers(server)
    if action == "kill" and processes:
        os.kill(rng.choice(processes), signal.SIGKILL)
    elif action in ("kill", "wait"):
        time.sleep(0.3 * rng.random())
    else:
        assert owner.control(id, action).status in (200, 409)


def finish(owner: Visitor, id: str) -> list[dict[str, Any]]:
    """Resumes a run until it is done, and returns its events."""
    end = time.monotonic() + 90
    while (status := owner.run(id)["status"]) != "done":
        assert time.monotonic() < end, status
        if status in ("paused", "interrupted"):
            owner.control(id, "resume")
        time.sleep(0.05)
    return owner.events(id)


def disturbed(folder: Path, rng: random.Random, **settings: object) -> list[dict[str, Any]]:
    """Returns the events of a run whose server is killed once, and stopped once, among other things."""
    id, cookie = "", ""
    for end in ("kill", "stop", "finish"):
        with served(folder, **settings) as server:
            owner = Visitor(server.port, cookie)
            id = id or owner.start(LAB)
            cookie = owner.cookie
            for _ in range(6):
                disturb(server, owner, id, rng)
            if end == "finish":
                return finish(owner, id)
            if end == "stop":
                assert server.stop()[0] == 0
            else:
                server.process.kill()
    raise AssertionError


def test_a_run_that_is_disturbed_has_the_numbers_of_a_calm_one(
    tmp_path: Path, expected: dict[str, Any], pytestconfig: pytest.Config
) -> None:
    for trial in range(int(pytestconfig.getoption("--disturbed", 1))):
        events = disturbed(tmp_path, random.Random(trial))
        assert numbers(events) == expected, f"trial {trial}"
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        assert sum(event["event"] == "verdict" for event in events) == 1


def test_the_same_on_postgresql(tmp_path: Path, expected: dict[str, Any]) -> None:
    with Postgres.started() as postgres:
        events = disturbed(tmp_path, random.Random(1), database=postgres.new_database())
    assert numbers(events) == expected
