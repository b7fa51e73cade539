"""Admission: what a task is held to cost, the budgets, the account of each client, and what a refusal says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import engine
from server.admission import Admission, Claim, estimated_seconds
from server.clients import Client, network
from server.problems import RefusedError
from server.queries import Query
from server.settings import Settings
from server.uploads import Upload
from server.work import Task, Unread


@dataclass(eq=False)
class Waiting:
    claim: Claim


def admission(**options: Any) -> Admission[Waiting]:
    return Admission(Settings(workers=2, **options))


def ask(into: Admission[Waiting], client: str, seconds: float, light: bool = False) -> Waiting:
    job = Waiting(Claim(client, seconds, seconds, light))
    into.put(job)
    return job


def refusal(into: Admission[Waiting], client: str, seconds: float, light: bool = False) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        ask(into, client, seconds, light)
    return refused.value


def query(kind: str = "analysis", **options: object) -> Query:
    return Query(kind, engine.parse(options))


def test_the_estimate_is_the_engines_where_the_config_is_known() -> None:
    config = engine.parse({"steps": 200, "hidden": 64})
    assert estimated_seconds(Task(Query("analysis", config))) == engine.estimate(config, ("credit",)).seconds
    lean = Query("analysis", config, frozenset(), certificate=False)
    assert estimated_seconds(Task(lean)) == engine.estimate(config, (), False).seconds
    assert estimated_seconds(Task(lean)) < estimated_seconds(Task(Query("analysis", config)))


def test_what_cannot_be_known_grows_with_its_bytes() -> None:
    short, long = Unread("analysis", b"1" * 10), Unread("analysis", b"1" * 10_000_000)
    assert 0 < estimated_seconds(Task(short)) < estimated_seconds(Task(long))
    files = (Upload(bytes(n), "npz", "native", engine.parse({})) for n in (10, 10_000_000))
    assert 0 < estimated_seconds(Task(next(files))) < estimated_seconds(Task(next(files)))


def test_small_analyses_are_light_and_large_ones_are_not() -> None:
    there = admission()
    small = query(steps=16, hidden=4, batch=1)
    assert there.claim(Task(Query("analysis", small.config, certificate=False)), Client("a")).light
    assert not there.claim(Task(query(steps=2000, hidden=64)), Client("a")).light


def test_what_is_light_stays_light_where_everything_takes_longer() -> None:
    there = admission()
    small = Task(query(steps=16, hidden=4, batch=1))
    nominal = there.claim(small, Client("a"))
    there.factors[True] = 10.0
    claim = there.claim(small, Client("a"))
    assert (claim.light, claim.seconds) == (True, pytest.approx(10 * nominal.seconds))


def test_equal_tasks_of_many_clients_are_served_as_they_come_however_the_factor_moves() -> None:
    there, came = admission(heavy_queue_seconds=3600), []
    for n in range(20):
        there.factors[False] = 1.0 + (n * 7 % 5)
        came.append(Waiting(there.claim(Task(query(steps=200, hidden=64)), Client(f"client {n}"))))
        there.put(came[-1])
    assert [there.next() for _ in came] == came


def test_a_client_may_have_so_many_jobs_and_so_much_work() -> None:
    there = admission(client_jobs=2, client_seconds=5)
    first = ask(there, "hog", 100.0)  # one job is always taken; that it is not too long is checked elsewhere
    error = refusal(there, "hog", 1.0)
    assert error.status == 429
    assert error.headers["Retry-After"] == "60"
    there.done(first)
    ask(there, "hog", 1.0)
    ask(there, "hog", 1.0)
    assert refusal(there, "hog", 0.001).status == 429
    ask(there, "pupil", 1.0)
    assert there.refused == {"client": 2}


def test_each_budget_of_the_queue_is_in_seconds_of_work() -> None:
    there = admission(heavy_queue_seconds=3, light_queue_seconds=0.5)
    ask(there, "a", 4.0)
    error = refusal(there, "b", 3.0)
    assert error.status == 503
    assert 2 <= int(error.headers["Retry-After"]) <= 3  # 4 s of work before two processes, spread by a half
    ask(there, "b", 2.0)
    for n in range(5):
        ask(there, f"light {n}", 0.1, light=True)
    assert refusal(there, "late", 0.1, light=True).status == 503
    assert there.refused == {"queue": 2}


def test_what_has_left_the_queue_is_no_longer_counted_among_what_waits() -> None:
    there = admission(heavy_queue_seconds=1)
    first = ask(there, "a", 2.0)
    assert refusal(there, "b", 2.0).status == 503
    assert there.next() is first
    second = ask(there, "b", 2.0)
    there.done(second)
    assert len(there) == 0
    assert second not in there


def test_the_factor_follows_what_jobs_really_take_within_bounds() -> None:
    there = admission()
    for _ in range(200):
        job = Waiting(there.claim(Task(query()), Client("a")))
        there.learn(job, 3 * estimated_seconds(Task(query())))
    assert there.factors[False] == pytest.approx(3, rel=0.01)
    assert there.factors[True] == 1.0  # light jobs have processes of another niceness
    for _ in range(1000):
        there.learn(Waiting(there.claim(Task(query()), Client("a"))), 1e6)
    assert there.factors[False] == pytest.approx(10)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.1.2.3", "10.1.2.200", True),
        ("10.1.2.3", "10.1.3.3", False),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", True),
        ("2001:db8:0:100::1", "2001:db8:1:1::1", False),
        ("testclient", "testclient", True),
        ("", "10.1.2.3", False),
    ],
)
def test_a_household_is_one_client(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same
