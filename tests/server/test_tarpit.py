"""The tarpit holds back who is refused again and again, and nobody else."""

from __future__ import annotations

import heapq
from collections import Counter

import pytest

from server.tarpit import DELAY, LONGEST, MOST_CLIENTS, OF_ALL, OF_ONE, PACE_ONE, SPAN, Tarpit


def test_the_first_refusals_are_answered_at_once() -> None:
    pit = Tarpit()
    assert [pit.refused("a", 0.01 * n) for n in range(OF_ONE)] == [0.0] * OF_ONE
    assert pit.refused("a", 0.5) == DELAY
    assert pit.refused("b", 0.5) == 0.0


def test_who_comes_slowly_is_never_held_back() -> None:
    pit, pause = Tarpit(), 1.01 * SPAN / OF_ONE
    assert not any(pit.refused("a", pause * n) for n in range(500))


def test_it_ends_when_the_storm_ends() -> None:
    pit = Tarpit()
    for n in range(100):
        pit.refused("a", 0.01 * n)
    assert pit.refused("a", 1.1) >= DELAY
    assert pit.refused("a", 1.1 + SPAN) == 0.0


def test_many_clients_together_are_held_back_too() -> None:
    pit = Tarpit()
    answered = [pit.refused(f"client {n}", 0.001 * n) for n in range(OF_ALL + 10)]
    assert answered[:OF_ALL] == [0.0] * OF_ALL
    assert all(DELAY <= seconds < DELAY + 0.1 for seconds in answered[OF_ALL:])


def test_a_storm_is_refused_evenly_and_at_a_bounded_pace() -> None:
    """500 connections that come back at once, each time that they are refused, for a minute."""
    pit, waiting = Tarpit(), [0.0] * 500
    times = []
    while (now := heapq.heappop(waiting)) < 60:
        due = now + pit.refused("hog", now)
        assert due <= now + LONGEST + 1e-9
        times.append(due)
        heapq.heappush(waiting, due)
    settled = sorted(time for time in times if 30 <= time < 60)
    assert len(settled) / 30 < 1.1 / PACE_ONE
    assert max(Counter(int(10 * time) for time in settled).values()) <= 1.5 * 0.1 / PACE_ONE  # in no tenth of a second


def test_whoever_is_refused_beside_a_storm_does_not_wait_for_its_end() -> None:
    pit = Tarpit()
    for n in range(600):
        pit.refused("hog", 0.001 * n)
    assert pit.refused("pupil", 0.7) < 2.5


def test_only_so_many_clients_are_remembered() -> None:
    pit = Tarpit()
    for n in range(MOST_CLIENTS + 100):
        pit.refused(f"client {n}", 0.0001 * n)
    assert len(pit._each) == MOST_CLIENTS


def test_who_is_refused_again_is_remembered_longer_than_those_who_are_not() -> None:
    pit = Tarpit()
    for _ in range(20):
        pit.refused("again", 0.0)
    for n in range(9_999):
        pit.refused(f"client {n}", 0.0)
    assert len(pit._each) == 10_000
    pit.refused("again", 1.0)
    pit.refused("one more", 1.0)
    assert len(pit._each) == 10_000
    assert "client 0" not in pit._each
    assert pit.refused("again", 1.0) >= 1


def test_who_was_refused_long_ago_is_forgotten() -> None:
    pit = Tarpit()
    for n in range(100):
        pit.refused(f"client {n}", 0.1 * n)
    pit.refused("another", 10 + SPAN + LONGEST)
    assert list(pit._each) == ["another"]


def test_what_is_promised_in_figures() -> None:
    """Twenty in 5 s are answered at once; after that one client is refused 50 times a second, a second late."""
    tarpit = Tarpit()
    assert [tarpit.refused("one", 0.0) for _ in range(20)] == [0.0] * 20
    assert [tarpit.refused("one", 0.0) for _ in range(3)] == pytest.approx([1.0, 1.02, 1.04])
    assert [tarpit.refused("one", 0.0) for _ in range(1000)][-1] == 10.0  # and never more than 10 s late
    all_together = Tarpit()
    held = [all_together.refused(f"client {n}", 0.0) for n in range(253)]
    assert held == pytest.approx([0.0] * 250 + [1.0, 1.004, 1.008])
    slow = Tarpit()
    assert [slow.refused("slow", 0.25 * number) for number in range(100)] == [0.0] * 100
    quick = Tarpit()
    assert max(quick.refused("quick", 0.2499 * number) for number in range(100)) >= 1
