"""A training process that hangs, and what people and the system do just then."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from server.training.conductor import HALT_SECONDS
from tests.server.live import alive, until
from tests.server.training_client import API, LONG, Visitor, served, trainers, visitor, within


def test_a_server_that_is_stopped_does_not_wait_for_a_process_that_hangs(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        owner = visitor(server)
        id = owner.start(LONG)
        owner.trained(id, 2_000)
        processes = trainers(server)
        os.kill(processes[0], signal.SIGSTOP)
        code, seconds, errors = server.stop()
        assert (code, errors) == (0, "")
        assert seconds < within(2)
        assert not any(map(alive, processes))
    with served(tmp_path) as server:
        again = Visitor(server.port, owner.cookie)
        run = again.run(id)
        assert run["status"] == "interrupted"
        assert again.control(id, "resume").status == 200
        again.trained(id, run["tokens"] + 1_000)


def lost(owner: Visitor, id: str) -> list[int]:
    """Returns the events that say that a process was lost."""
    return [event["id"] for event in owner.events(id) if event["event"] == "worker"]


def at_work(owner: Visitor, id: str, after: int) -> bool:
    """Returns whether both lanes have got on since an event."""
    later = [event for event in owner.events(id) if event["event"] == "point" and event["id"] > after]
    return len({event["data"]["lane"] for event in later}) == 2


def test_a_run_that_is_stopped_stays_so_while_its_processes_are_lost(tmp_path: Path) -> None:
    """It has lost two processes and is about to wait to be resumed, and a third one hangs: then somebody stops it."""
    with served(tmp_path) as server:
        owner = visitor(server)
        id = owner.start(LONG)
        owner.trained(id, 2_000)
        os.kill(trainers(server)[0], signal.SIGKILL)
        until(lambda: len(lost(owner, id)) == 1)
        until(lambda: at_work(owner, id, lost(owner, id)[0]), 60)
        first, second = trainers(server)
        os.kill(second, signal.SIGSTOP)
        os.kill(first, signal.SIGKILL)
        until(lambda: len(lost(owner, id)) == 2)
        assert owner.control(id, "stop").status == 200
        time.sleep(1.5 * HALT_SECONDS)  # in which the run would have come to rest
        assert owner.run(id)["status"] == "cancelled"
        said = [event["data"]["status"] for event in owner.events(id) if event["event"] == "state"]
        assert said[-1] == "cancelled"
        assert not alive(second)
        assert owner.ask("DELETE", f"{API}/{id}").status == 204
        assert owner.ask("GET", f"{API}/{id}").status == 404
