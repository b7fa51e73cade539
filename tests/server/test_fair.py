"""The fair queue: its order by the rule, its shares in the long run, and that nothing is lost."""

from __future__ import annotations

import heapq
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from server.fair import Fair

ITEMS = st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0.001, 10.0), st.booleans()), max_size=60)


def drained(queue: Fair[object]) -> list[object]:
    return list(iter(queue.pop, None))


def test_one_request_of_another_goes_before_the_rest_of_a_burst() -> None:
    queue: Fair[str] = Fair()
    for n in range(5):
        queue.add(f"hog {n}", "hog", 1.0)
    queue.add("pupil", "pupil", 0.5)
    assert drained(queue) == ["pupil", "hog 0", "hog 1", "hog 2", "hog 3", "hog 4"]


def test_the_cheapest_goes_first_among_clients_who_have_nothing_waiting() -> None:
    queue: Fair[float] = Fair()
    for cost in (3.0, 1.0, 2.0):
        queue.add(cost, f"client {cost}", cost)
    assert drained(queue) == [1.0, 2.0, 3.0]


def test_who_has_waited_is_not_overtaken_by_cheaper_ones_without_end() -> None:
    queue: Fair[str] = Fair()
    queue.add("dear", "a", 1.5)
    served = []
    for n in range(10):
        queue.add("cheap", f"b{n}", 1.0)
        served.append(queue.pop())
    assert served[:2] == ["cheap", "dear"]


def test_who_was_idle_has_saved_nothing() -> None:
    """A client that comes late starts at the virtual time, not at zero."""
    queue: Fair[str] = Fair()
    for n in range(20):
        queue.add(f"a{n}", "a", 1.0)
    for _ in range(10):
        queue.pop()
    for n in range(10):
        queue.add(f"b{n}", "b", 1.0)
    assert Counter(item[0] for item in drained(queue)[:10]) == {"a": 5, "b": 5}


def test_clients_with_much_to_do_get_equal_shares_of_work_whatever_the_size_of_their_requests() -> None:
    queue: Fair[tuple[str, float]] = Fair()
    for client, cost in (("small", 0.1), ("large", 1.0)):
        for _ in range(round(100 / cost)):
            queue.add((client, cost), client, cost)
    served: Counter[str] = Counter()
    while sum(served.values()) < 100:
        item = queue.pop()
        assert item is not None
        served[item[0]] += item[1]  # type: ignore[assignment]
    assert abs(served["small"] - served["large"]) <= 1.1


def test_only_light_items_go_to_who_takes_only_those() -> None:
    queue: Fair[str] = Fair()
    queue.add("heavy", "a", 0.001)
    queue.add("light", "b", 0.002, light=True)
    assert queue.pop(light=True) == "light"
    assert queue.pop(light=True) is None
    queue.add("light", "b", 0.0001, light=True)
    assert queue.pop(light=False) == "heavy"
    assert queue.pop(light=False) is None
    assert queue.pop() == "light"


def test_what_is_put_back_is_first() -> None:
    queue: Fair[str] = Fair()
    queue.add("first", "a", 1.0)
    queue.add("second", "b", 2.0)
    lost = queue.pop()
    assert lost == "first"
    queue.again(lost, 1.0)
    assert drained(queue) == ["first", "second"]


def test_what_was_put_back_last_is_first_in_its_own_lane_and_is_counted() -> None:
    queue: Fair[str] = Fair()
    queue.add("waits", "a", 1.0, light=True)
    queue.again("one", 2.0)
    queue.again("two", 4.0)
    queue.again("light", 0.5, light=True)
    assert (len(queue), queue.seconds(False), queue.seconds(True)) == (4, 6.0, 1.5)
    assert [queue.pop(light=True), queue.pop(light=True), queue.pop(light=True)] == ["light", "waits", None]
    assert drained(queue) == ["two", "one"]
    assert (len(queue), queue.seconds(False), queue.seconds(True)) == (0, 0.0, 0.0)


def test_a_network_that_was_idle_has_saved_nothing() -> None:
    queue: Fair[str] = Fair()
    for n in range(40):
        queue.add("busy", f"{n}", 1.0, network="busy")
    queue.add("idle", "a", 1.0, network="idle")
    assert [queue.pop() for _ in range(20)].count("idle") == 1  # it has nothing more, and is idle for 18 s
    for n in range(20):
        queue.add("idle", f"{n}", 1.0, network="idle")
    assert abs([queue.pop() for _ in range(10)].count("idle") - 5) <= 1


def test_who_comes_when_all_have_been_served_is_equal_to_those_who_come_then() -> None:
    queue: Fair[str] = Fair()
    for _ in range(10):
        queue.add("early", "a", 1.0, network="early")
    drained(queue)
    for name in ("early", "late"):
        for n in range(10):
            queue.add(name, f"{n}", 1.0, network=name)
    assert Counter(queue.pop() for _ in range(10)) == {"early": 5, "late": 5}


def test_many_names_made_up_in_one_network_get_one_share() -> None:
    queue: Fair[str] = Fair()
    for n in range(100):
        queue.add("hog", f"made up {n}", 1.0, network="hog's")
    for n in range(20):
        queue.add("pupil", f"pupil {n}", 1.0, network="school")
    assert abs(Counter(drained(queue)[:20])["pupil"] - 10) <= 1


def test_a_network_with_one_large_request_gets_its_turn_before_small_ones_without_end() -> None:
    queue: Fair[str] = Fair()
    queue.add("small", "a", 1.0, network="one")
    queue.add("large", "b", 10.0, network="other")
    served = []
    for _ in range(15):
        queue.add("small", "a", 1.0, network="one")
        served.append(queue.pop())
    assert served.index("large") == 9


def test_a_network_is_fair_within_itself_while_another_waits() -> None:
    queue: Fair[str] = Fair()
    for n in range(5):
        queue.add(f"hog {n}", "hog", 1.0, network="school")
        queue.add(f"far {n}", "far", 1.0, network="elsewhere")
    queue.add("pupil", "pupil", 0.5, network="school")
    assert "pupil" in drained(queue)[:2]


@given(ITEMS)
def test_networks_lose_nothing(items: list[tuple[str, float, bool]]) -> None:
    queue: Fair[int] = Fair()
    for n, (client, cost, light) in enumerate(items):
        queue.add(n, client, cost, light, network=client)
    lights = [n for n, item in enumerate(items) if item[2]]
    assert sorted(iter(lambda: queue.pop(light=True), None)) == lights
    assert abs(queue.seconds(False) - sum(cost for _, cost, light in items if not light)) < 1e-6
    assert sorted(drained(queue)) == [n for n in range(len(items)) if n not in lights]  # type: ignore[type-var]
    assert (len(queue), queue.seconds(True), queue.seconds(False)) == (0, 0.0, 0.0)


@given(ITEMS)
def test_everything_comes_out_once_in_the_order_of_its_finish_tag(items: list[tuple[str, float, bool]]) -> None:
    queue: Fair[int] = Fair()
    finish: dict[str, float] = {}
    expected: list[tuple[float, int]] = []
    for n, (client, cost, light) in enumerate(items):
        finish[client] = finish.get(client, 0.0) + cost
        heapq.heappush(expected, (finish[client], n))
        queue.add(n, client, cost, light)
    assert abs(queue.seconds(True) + queue.seconds(False) - sum(cost for _, cost, _ in items)) < 1e-9
    assert drained(queue) == [heapq.heappop(expected)[1] for _ in items]
    assert len(queue) == 0


@given(ITEMS)
def test_what_is_removed_does_not_come(items: list[tuple[str, float, bool]]) -> None:
    queue: Fair[object] = Fair()
    things = [object() for _ in items]
    for thing, (client, cost, light) in zip(things, items, strict=True):
        queue.add(thing, client, cost, light)
    gone = things[::2]
    for thing in gone:
        assert thing in queue
        queue.remove(thing)
        assert thing not in queue
    assert {id(thing) for thing in drained(queue)} == {id(thing) for thing in things[1::2]}
