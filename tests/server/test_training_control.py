"""Playing, pausing, stepping, stopping, the learning rate; who may, and how much of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.live import Live, until
from tests.server.training_client import API, LONG, TINY, Visitor, numbers, served, trainers, visitor, within

STEADY = TINY | {"tokens": 40_000, "evaluations": 4}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with served(tmp_path_factory.mktemp("control")) as running:
        yield running


@pytest.fixture
def owner(server: Live) -> Visitor:
    somebody = visitor(server)
    somebody.ask("GET", "/train")
    return somebody


def undisturbed(owner: Visitor, lab: dict[str, Any]) -> dict[str, Any]:
    """Returns the numbers of a run that nobody disturbs."""
    return numbers(owner.events(owner.until(owner.start(lab), "done")["id"]))


def test_pausing_and_resuming_changes_no_number(owner: Visitor) -> None:
    id = owner.start(STEADY)
    for tokens in (5_000, 20_000, 45_000):
        owner.trained(id, tokens)
        assert owner.control(id, "pause").body["status"] == "paused"
        before = owner.run(id)
        time.sleep(0.15)
        assert owner.run(id)["last_event"] == before["last_event"]
        assert owner.control(id, "resume").status == 200
    owner.until(id, "done")
    assert numbers(owner.events(id)) == undisturbed(owner, STEADY)


def test_a_step_is_one_update_of_every_strategy(owner: Visitor) -> None:
    id = owner.start(LONG)
    owner.trained(id, 5_000)
    paused = owner.control(id, "pause").body["lanes"]
    for count in (1, 2, 3):
        stepped = owner.control(id, "step").body
        assert stepped["status"] == "paused"
        window = 5 * LONG["batch"]
        moved = [lane["tokens"] - before["tokens"] for lane, before in zip(stepped["lanes"], paused, strict=True)]
        assert moved == [count * window] * 2
    owner.control(id, "stop")


def test_a_step_of_a_run_that_goes_on_pauses_it(owner: Visitor) -> None:
    id = owner.start(LONG)
    owner.trained(id, 1_000)
    assert owner.control(id, "step").body["status"] == "paused"
    owner.control(id, "stop")


def test_a_new_learning_rate_holds_from_one_token_count_on_in_all_lanes(owner: Visitor) -> None:
    id = owner.start(LONG, seeds=2)
    owner.trained(id, 10_000)
    changed = owner.control(id, "rate", rate=0.0625).body
    [change] = changed["rates"]
    owner.trained(id, 4 * change["tokens"])
    owner.control(id, "stop")
    for lane in ("0.0", "1.0"):
        points = [e["data"] for e in owner.events(id) if e["event"] == "point" and e["data"]["lane"] == lane]
        assert {point["rate"] for point in points if point["tokens"] <= change["tokens"]} == {0.002}
        assert {point["rate"] for point in points if point["tokens"] > change["tokens"] + 80} == {0.0625}


def test_a_changed_learning_rate_survives_a_pause(owner: Visitor) -> None:
    """It is stored as an event, with its token count, and holds again in whatever process goes on."""
    id = owner.start(LONG)
    owner.trained(id, 5_000)
    owner.control(id, "rate", rate=0.25)
    owner.control(id, "pause")
    [event] = [e["data"] for e in owner.events(id) if e["event"] == "rate"]
    owner.control(id, "resume")
    further = event["tokens"] + 2 * LONG["tokens"] // 256  # a point is so wide; one lane may be far behind the other
    until(lambda: all(lane["tokens"] > further for lane in owner.run(id)["lanes"]), within(30))
    owner.control(id, "stop")
    assert event["rate"] == 0.25
    points = [e["data"] for e in owner.events(id) if e["event"] == "point"]
    assert {point["lane"]: point["rate"] for point in points} == {"0.0": 0.25, "1.0": 0.25}, "the last of each"


def test_deleting_cancels_within_200_ms_and_frees_the_cpu(server: Live, owner: Visitor) -> None:
    """The worst of five; what was shown is kept, and the run can be forgotten then."""
    slowest = 0.0
    for _ in range(5):
        id = owner.start(LONG, hidden=200, batch=64)
        owner.trained(id, 1)
        begun = time.monotonic()
        answer = owner.ask("DELETE", f"{API}/{id}")
        slowest = max(slowest, time.monotonic() - begun)
        assert (answer.status, answer.body["status"]) == (200, "cancelled")
    assert slowest < within(0.2)
    before = cpu(server)
    time.sleep(0.5)
    assert cpu(server) - before < 0.1
    assert owner.run(id)["last_event"] == len(owner.events(id)) > 2
    assert owner.ask("DELETE", f"{API}/{id}").status == 204
    assert owner.ask("GET", f"{API}/{id}").status == 404


def cpu(server: Live) -> float:
    """Returns the seconds that the training processes have computed."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in trainers(server)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / 100


def test_a_run_that_is_stopped_has_a_verdict_of_what_it_has(owner: Visitor) -> None:
    id = owner.start(LONG, evaluations=200)
    owner.trained(id, 150_000)
    stopped = owner.control(id, "stop").body
    assert (stopped["status"], stopped["remaining_seconds"]) == ("cancelled", 0)
    assert stopped["verdict"]["headline"]
    assert owner.control(id, "resume").status == 409
    assert owner.control(id, "stop").status == 200


def test_a_run_of_the_queue_can_be_cancelled(owner: Visitor) -> None:
    first, second, third = (owner.start(LONG) for _ in range(3))
    gauges = owner.ask("GET", "/metrics").body.decode()
    assert "unrolled_training_runs 1.0" in gauges
    assert "unrolled_training_waiting 2.0" in gauges
    assert [owner.run(id)["status"] for id in (first, second, third)] == ["running", "queued", "queued"]
    assert owner.ask("DELETE", f"{API}/{second}").body["status"] == "cancelled"
    owner.control(first, "stop")
    owner.until(third, "running")
    assert owner.run(second)["tokens"] == 0
    owner.control(third, "stop")


def test_whoever_starts_fifty_runs_is_told_when_to_come_again(server: Live, owner: Visitor) -> None:
    answers = [owner.ask("POST", API, LONG) for _ in range(50)]
    started = [answer.body["id"] for answer in answers if answer.status == 201]
    refused = [answer for answer in answers if answer.status != 201]
    assert len(started) == 5  # one that trains, four that wait
    assert {answer.status for answer in refused} == {429}
    assert all(1 <= int(answer.headers["retry-after"]) <= 3600 for answer in refused)
    other = visitor(server)
    other.ask("GET", "/train")
    mine = other.start(LONG)
    other.until(mine, "running")
    other.trained(mine, 1_000)
    for id in reversed(started):
        assert owner.ask("DELETE", f"{API}/{id}").body["status"] == "cancelled"
    other.control(mine, "stop")
    assert {run["id"] for run in owner.ask("GET", API).body} == set(started)


def test_a_queue_that_is_full_is_everybodys(tmp_path: Path) -> None:
    with served(tmp_path, training_workers=1, training_queue=2) as server:
        people = [visitor(server) for _ in range(4)]
        for person in people:
            person.ask("GET", "/train")
        answers = [person.ask("POST", API, LONG) for person in people]
        assert [answer.status for answer in answers] == [201, 201, 201, 503]
        assert int(answers[3].headers["retry-after"]) >= 1


def test_others_may_look_and_not_touch(server: Live, owner: Visitor) -> None:
    id = owner.start(LONG)
    owner.until(id, "running")
    stranger = visitor(server)
    assert stranger.run(id)["own"] is False
    for _ in range(2):  # without a cookie, and with one of their own
        assert stranger.control(id, "pause").status == 403
        assert stranger.ask("DELETE", f"{API}/{id}").status == 403
        stranger.ask("GET", "/train")
    assert owner.run(id)["status"] == "running"
    owner.control(id, "stop")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "action"), ({"action": "halt"}, "action"), ({"action": "rate"}, "rate"), ({"action": 3}, "action"),
     ({"action": "rate", "rate": "1"}, "rate"), ({"action": "rate", "rate": -1}, "rate"),
     ({"action": "pause", "rate": 1}, "rate"), ({"action": "pause", "force": True}, "force")],
)  # fmt: skip
def test_a_control_that_is_none(owner: Visitor, body: dict[str, Any], field: str) -> None:
    id = owner.until(owner.start(), "done")["id"]
    answer = owner.ask("POST", f"{API}/{id}/control", body)
    assert (answer.status, answer.body["problems"][0]["field"]) == (422, field)


def test_a_lane_that_diverges_ends_alone(owner: Visitor) -> None:
    lab = TINY | {"cell": "rnn", "optimiser": "sgd", "clip_by": "off", "rate": 1000, "tokens": 4000}
    lab |= {"strategies": [{"k": 5}, {"k": 5, "frozen": True}], "task": "series"}
    run = owner.until(owner.start(lab), "done")
    assert "diverged" in {lane["ended"] for lane in run["lanes"]}
    assert run["verdict"]["outcomes"][0]["diverged"] == [0]


def test_two_visitors_share_the_processes(server: Live, owner: Visitor) -> None:
    other = visitor(server)
    other.ask("GET", "/train")
    first = owner.start(LONG)
    owner.trained(first, 5_000)
    second = other.start(LONG)
    other.trained(second, 5_000)
    before = owner.run(first)["tokens"]
    owner.trained(first, before + 5_000)
    assert len(trainers(server)) == 2
    owner.control(first, "stop")
    other.control(second, "stop")
    assert len(trainers(server)) <= 2
    owner.ask("GET", "/train")  # for which one comes back that was ended, as it had no time to hand its lanes back
    until(lambda: len(trainers(server)) == 2, within(5))
