"""The memory that an update is said to keep, beside what Python's allocator hands out."""

from __future__ import annotations

import tracemalloc

import pytest

from engine.training import Strategy, corpus_of, parse_lab
from engine.training.corpus import network_of
from engine.training.lane import total_steps
from engine.training.memory import memory_of
from engine.training.pieces import piece_at
from engine.training.step import Step
from engine.training.streams import Streams

SIZES = {"hidden": 48, "batch": 24, "tokens": 24 * 500, "embedding": 16}
STRATEGIES = [Strategy(k=20), Strategy(k=60), Strategy("sliding", k=8), Strategy("k1k2", k1=10, k2=40)]


def measured(options: dict[str, object], strategy: Strategy) -> tuple[int, int]:
    """Returns the peak of a step that is made and used until its pieces are whole, and what is said of it."""
    lab = parse_lab({**SIZES, **options})
    corpus = corpus_of(lab)
    network, streams = network_of(lab, corpus), Streams(lab, corpus, 0, strategy)
    stretch = streams.stretch(0)
    assert total_steps(lab) > 6 * strategy.k
    tracemalloc.start()
    try:
        step = Step(network, lab, strategy, streams.steps)
        state, start = step.initial(), 0
        for _ in range(6):
            piece = piece_at(strategy, start, stretch.steps, (0, 0))
            step.run(stretch, piece, state, 1.0)
            step.update(0.01)
            start = piece.end
        return tracemalloc.get_traced_memory()[1], memory_of(lab, strategy)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
@pytest.mark.parametrize("options", [{}, {"cell": "gru", "layers": 2}, {"optimiser": "sgd", "dtype": "float64"}],
                         ids=str)
def test_it_is_what_the_allocator_says(options: dict[str, object], strategy: Strategy) -> None:
    peak, said = measured(options, strategy)
    assert said <= peak
    assert peak == pytest.approx(said, rel=0.25)


def test_a_longer_window_and_more_tracks_take_more() -> None:
    lab = parse_lab(SIZES)
    short, long = memory_of(lab, Strategy(k=20)), memory_of(lab, Strategy(k=60))
    assert long > 2 * short
    assert memory_of(lab, Strategy("sliding", k=20)) > 1.5 * short
