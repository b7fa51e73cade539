"""The tarpit holds back who is refused again and again, and nobody else."""

from __future__ import annotations

from server.tarpit import DELAY, MOST_CLIENTS, OF_ALL, OF_ONE, SPAN, Tarpit


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
    assert pit.refused("a", 1.1) == DELAY
    assert pit.refused("a", 1.1 + SPAN) == 0.0


def test_many_clients_together_are_held_back_too() -> None:
    pit = Tarpit()
    answered = [pit.refused(f"client {n}", 0.001 * n) for n in range(OF_ALL + 10)]
    assert answered == [0.0] * OF_ALL + [DELAY] * 10


def test_only_so_many_clients_are_remembered() -> None:
    pit = Tarpit()
    for n in range(MOST_CLIENTS + 100):
        pit.refused(f"client {n}", 100.0 * n)
    assert len(pit._each) == MOST_CLIENTS
