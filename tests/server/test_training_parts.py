"""The parts of the training service by themselves: points, lanes that move, what is kept, viewers, remaining time."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from engine.training import Lab, parse_lab
from engine.training.corpus import corpus_of
from engine.training.snapshots import Snapshot
from server.problems import RefusedError
from server.settings import Settings
from server.store.rows import Event
from server.training.archives import dump, load
from server.training.bench import Bench
from server.training.holding import Holding, keeps
from server.training.measuring import held
from server.training.messages import HandBack, Happened, Report, Standing, Start, Take, lane_name, lane_parts
from server.training.points import Merger, boundary
from server.training.runs import Run
from server.training.sending import Batch
from server.training.view import read_event
from server.training.watching import QUEUE, Viewer, Viewers
from tests.server.training_client import TINY

ROOM = 2**20


def tiny(**options: object) -> Lab:
    return parse_lab(TINY | options)


def snapshots(total: int, width: int) -> list[Snapshot]:
    """Updates of `width` tokens each, whose loss is the update's number."""
    return [
        Snapshot(min(n * width, total), n, float(n), 0.5, 2.0 * n, float(n % 2), 0.1, False, None)
        for n in range(1, -(-total // width) + 1)
    ]


@pytest.mark.parametrize(("total", "width"), [(1000, 7), (100_000, 16), (1_000_000, 640), (20_000_000, 80)])
def test_points_are_some_hundreds_and_closer_at_the_start(total: int, width: int) -> None:
    ends, last = [], 0
    for tokens in range(width, total + width, width):
        if min(tokens, total) >= boundary(last, total):
            last = min(tokens, total)
            ends.append(last)
    assert ends[-1] == total
    assert len(ends) < 500
    assert ends[0] == min(width, total)
    assert ends[1] - ends[0] <= ends[-1] - ends[-2] or len(ends) * width > total


def test_a_point_is_the_mean_over_its_updates_weighted_by_tokens() -> None:
    merger, points = Merger(100_000), []
    for snapshot in snapshots(100_000, 16):
        points += [point] if (point := merger.add(snapshot)) else []
    assert merger.rest() is None
    widths = np.diff([0, *(point["tokens"] for point in points)])
    losses = np.array([point["loss"] for point in points])
    updates = 100_000 // 16
    assert math.isclose(float(widths @ losses) / 100_000, (updates + 1) / 2)
    assert max(widths) <= 100_000 // 256 + 16


@pytest.mark.parametrize("cut", [1, 2, 63, 1000, 6249])
def test_points_do_not_depend_on_where_a_lane_was_interrupted(cut: int) -> None:
    whole, first = Merger(100_000), Merger(100_000)
    updates = snapshots(100_000, 16)
    expected = [whole.add(snapshot) for snapshot in updates]
    begun = [first.add(snapshot) for snapshot in updates[:cut]]
    second = Merger(100_000, load(dump(first.state())))
    assert begun + [second.add(snapshot) for snapshot in updates[cut:]] == expected


def test_what_an_update_lacks_does_not_count_and_what_explodes_does() -> None:
    merger = Merger(1_000_000)
    for n in (1, 2, 3):
        merger.add(Snapshot(100_000 * n, n, float(n), math.nan, 1.0, 0.0, 0.1, False, None))
    merger.add(Snapshot(300_001, 4, math.nan, math.nan, math.nan, 0.0, 0.1, False, None))
    lacking = merger.add(Snapshot(304_000, 5, 8.0, math.nan, 2.0, 0.0, 0.1, False, None))
    assert lacking is not None or (lacking := merger.rest()) is not None
    assert lacking["loss"] == 8.0
    assert math.isnan(lacking["accuracy"])
    merger.add(Snapshot(304_500, 6, math.inf, math.nan, math.nan, 0.0, 0.1, True, None))
    exploded = merger.rest()
    assert exploded is not None
    assert exploded["loss"] == math.inf


def trained(lane: Holding, updates: int = 10**9) -> list[Happened]:
    for _ in range(updates):
        if lane.ended:
            break
        lane.advance()
    return lane.events


def plain(events: list[Happened]) -> list[tuple[str, str, dict[str, object]]]:
    """Returns events without what no two runs share: seconds, and the bytes that the interpreter took."""
    found = [(event.kind, event.key, json.loads(event.data_json)) for event in events]
    return [
        (kind, key, {name: value for name, value in data.items() if name not in ("seconds", "peak_bytes")})
        for kind, key, data in found
    ]


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 40, 99, 100])
def test_a_lane_goes_on_elsewhere_with_the_same_events(cut: int) -> None:
    lab = tiny(evaluations=4)
    corpus, task = corpus_of(lab), Take(1, 0, rates=((900, 0.05),))
    whole, first = (Holding(lab, corpus, task, ROOM) for _ in range(2))
    begun = trained(first, cut)
    second = Holding(lab, corpus, replace(task, checkpoint=first.checkpoint()), ROOM)
    assert second.standing().tokens == first.standing().tokens
    rest = trained(second)
    assert plain(begun + rest) == plain(trained(whole))
    assert first.moments + second.moments == whole.moments
    rates = [data["rate"] for kind, _, data in plain(whole.events) if kind == "point"]
    assert (rates[0], rates[-1]) == (lab.rate, 0.05)


def test_a_bench_advances_the_lane_that_is_behind() -> None:
    lab, reports = tiny(), list[Report]()
    bench = Bench(reports.append)
    bench.obey(Start("run", lab, ROOM))
    for strategy in (0, 1):
        bench.obey(Take(strategy, 0))
    for _ in range(21):
        bench.advance()
    bench.obey(HandBack(("0.0",)))
    assert reports[-1].back == ("0.0",)
    assert [name for name, _ in reports[-1].checkpoints] == ["0.0"]
    tokens = {name: standing.tokens for name, standing in reports[-1].lanes}
    assert abs(tokens["0.0"] - tokens["1.0"]) <= 20
    while bench.busy:
        bench.advance()
    assert reports[-1].back == ("1.0",)
    assert dict(reports[-1].lanes)["1.0"].ended == "done"


def test_a_lane_that_cannot_begin_has_failed_and_says_so() -> None:
    lab, reports = tiny(), list[Report]()
    bench = Bench(reports.append)
    bench.obey(Start("run", lab, ROOM))
    bench.obey(Take(0, 0, checkpoint=dump({"weights": np.zeros(3)})))
    [report] = reports
    assert report.back == ("0.0",)
    assert json.loads(report.events[0].data_json)["status"] == "failed"
    assert not bench.busy


@pytest.mark.parametrize("evaluations", [1, 2, 7, 20, 200])
@pytest.mark.parametrize("fit", [0, 1, 2, 3, 10, 1000])
def test_weights_of_moments_stay_in_their_room(evaluations: int, fit: int) -> None:
    kept = [index for index in range(evaluations + 1) if keeps(index, evaluations, 1000, 1000 * fit + 999)]
    assert len(kept) <= fit
    assert fit == 0 or kept[-1] == evaluations
    assert fit < evaluations + 1 or len(kept) == evaluations + 1


def test_what_is_held_is_counted_once_however_it_is_viewed() -> None:
    room = np.zeros(1000)
    assert held([room, room[10:], {"a": room.reshape(10, 100)}, (room.T,)]) == room.nbytes


@pytest.mark.parametrize("name", ["", "0", "0.", ".0", "a.0", "-1.0", "00.0", "0.0.0", "٣.0", "9" * 30 + ".0"])
def test_a_lane_that_has_no_such_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"^.{0,24}$"):
        lane_parts(name)
    assert lane_parts(lane_name(3, 41)) == (3, 41)


def test_numbers_that_json_cannot_say_come_back() -> None:
    data = read_event('{"loss":null,"loss_nonfinite":{"+inf":[0]},"probe":[1.0,null],"probe_nonfinite":{"nan":[1]}}')
    assert data["loss"] == math.inf
    assert data["probe"][0] == 1.0
    assert math.isnan(data["probe"][1])


def test_the_remaining_time_is_that_of_the_lanes_still_to_come() -> None:
    """A strategy that has not begun is taken to be as fast as the others; one lane cannot be split."""
    run = Run("x" * 22, "visitor", "", tiny(tokens=1000, seeds=2), 0.0)
    assert run.remaining(2) is None
    run.lanes["0.0"].standing = Standing(1000, 2.0, 4.0, "done")
    assert run.remaining(1) == pytest.approx(3 * 4.0)
    run.lanes["1.0"].standing = Standing(500, 3.0, 6.0)
    assert run.remaining(1) == pytest.approx(4.0 + 6.0 + 12.0)
    assert run.remaining(2) == pytest.approx(12.0)
    run.lanes["0.1"].standing = Standing(0, 0.0, 0.0, "failed")
    assert run.remaining(1) == pytest.approx(6.0 + 12.0)


def event(id: int) -> Event:
    return Event(id, "point", "0.0", str(id), "{}")


async def ids(viewer: Viewer) -> list[int]:
    """Returns the ids of the events that come next."""
    batch = await viewer.get(1)
    return [event.id for event in batch.events] if batch else []


def test_a_batch_is_sent_from_where_a_viewer_is_and_what_has_no_id_always() -> None:
    untold = Event(0, "state", "", None, '{"status": "paused"}')
    batch = Batch([event(3), untold, event(4)])
    assert batch.after(2) is batch
    assert [event.id for event in batch.after(3).events] == [0, 4]
    assert (batch.last, batch.status, batch.after(4).status) == (4, "paused", "paused")
    assert (Batch([event(7)]).status, Batch([]).last, len(Batch([event(3)]).after(3))) == ("", 0, 0)
    assert batch.encoded.count(b"\nid: ") == 2


def test_a_viewer_that_does_not_keep_up_is_let_go_and_the_others_are_not() -> None:
    async def scenario() -> None:
        viewers = Viewers(Settings())
        slow, quick = viewers.admit("run", "a"), viewers.admit("run", "b")
        for start in range(0, 3 * QUEUE, 100):
            viewers.publish("run", [event(start + n) for n in range(1, 101)])
            assert await ids(quick) == list(range(start + 1, start + 101))
        for start in range(0, QUEUE, 100):
            assert await ids(slow) == list(range(start + 1, start + 101))
        assert await slow.get(1) is None
        viewers.leave(slow)
        viewers.leave(quick)
        assert viewers.count == 0

    asyncio.run(scenario())


def test_a_server_that_stops_takes_no_more_viewers() -> None:
    async def scenario() -> None:
        viewers = Viewers(Settings())
        watching = viewers.admit("run", "a")
        viewers.close()
        assert await watching.get(1) is None
        with pytest.raises(RefusedError) as refused:
            viewers.admit("run", "b")
        assert refused.value.status == 503

    asyncio.run(scenario())
