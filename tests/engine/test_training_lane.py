"""A lane from outside: snapshots, moments, equal starts, equal tokens, divergence."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine import analyze, parse
from engine.training import Lab, Lane, Snapshot, Strategy, corpus_of
from engine.training.probe import half_life

SMALL = {"hidden": 6, "batch": 4, "tokens": 2_000, "seeds": 1, "evaluations": 4}
EVERY = (Strategy(k=7), Strategy(k=7, value="reset"), Strategy("sliding", k=5), Strategy("k1k2", k1=3, k2=8),
         Strategy("random", p=0.1), Strategy(k=7, order="shuffled"), Strategy(k=7, frozen=True))


def lane_of(strategy: Strategy = EVERY[0], seed: int = 0, **options: object) -> Lane:
    lab = Lab(**{**SMALL, **options}, strategies=(strategy,))
    return Lane(lab, 0, seed, corpus_of(lab))


@pytest.mark.parametrize("strategy", EVERY, ids=lambda s: s.name)
def test_equal_tokens_and_moments_at_even_distances(strategy: Strategy) -> None:
    found = list(lane_of(strategy))
    assert (found[0].tokens, found[0].update) == (0, 0)
    assert math.isnan(found[0].loss)
    assert found[-1].tokens == 2_000
    assert [s.update for s in found] == list(range(len(found)))
    moments = [s.moment for s in found if s.moment]
    assert len(moments) == 5
    for wanted, moment in zip((0, 500, 1000, 1500, 2000), moments, strict=True):
        longest = 4 * 60 if strategy.style == "random" else 4 * 8
        assert wanted <= moment.tokens < wanted + longest
    assert moments[-1].held_out.tokens >= moments[0].held_out.tokens
    assert all(np.isfinite([s.loss, s.accuracy, s.norm]).all() for s in found[1:])


def test_all_lanes_of_a_seed_start_from_the_weights_of_the_analysis() -> None:
    theirs = analyze(parse({"hidden": 6, "batch": 4, "seed": 3}), include=frozenset({"weights"})).weights
    for strategy in EVERY:
        for name, block in lane_of(strategy, seed=3, dtype="float64").weights().items():
            assert np.array_equal(block, theirs[name])
    assert not np.array_equal(lane_of(seed=4).weights()["l0.W_hh"], theirs["l0.W_hh"])


def test_the_default_text_is_learned() -> None:
    found = list(lane_of(hidden=24, batch=8, tokens=40_000, rate=0.01, evaluations=2))
    first, last = found[0].moment, found[-1].moment
    assert first is not None
    assert last is not None
    assert last.held_out.loss < 2.7 < 3.5 < first.held_out.loss
    assert last.held_out.accuracy > 0.25
    assert len(last.sample) == len(first.sample) == 200
    assert last.sample.count(" ") > 15


@pytest.mark.parametrize(("options", "wanted"), [
    ({"task": "copy", "lag": 3, "steps": 12, "rate": 0.02, "tokens": 60_000, "hidden": 24, "batch": 16}, 0.5),
    ({"task": "series", "rate": 0.01, "tokens": 30_000}, 0.05),
    ({"task": "lagged_bits", "steps": 20, "rate": 0.01, "tokens": 60_000, "batch": 16, "hidden": 12}, 0.56),
    ({"task": "adding", "steps": 8, "rate": 0.02, "tokens": 60_000, "batch": 16, "hidden": 16}, 0.04)], ids=str)
def test_every_other_task_is_learned(options: dict[str, object], wanted: float) -> None:
    last = list(lane_of(Strategy("full"), **options) if options.get("steps") else lane_of(**options))[-1].moment
    assert last is not None
    assert last.held_out.loss < wanted
    assert last.sample == ""


def test_words_are_learned_and_sampled_as_text() -> None:
    lab = Lab(**{**SMALL, "tokens": 8_000}, vocabulary="word", words=50, strategies=EVERY[:1])
    corpus = corpus_of(lab)
    assert len(corpus.vocabulary) == 50
    last = list(Lane(lab, 0, 0, corpus))[-1].moment
    assert last is not None
    assert set(last.sample.split()) - set(corpus.vocabulary) == set() or " " in last.sample
    assert last.held_out.loss < math.log(50)


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "adagrad"])
def test_a_rate_that_is_too_high_is_seen_as_divergence_and_nothing_raises(optimiser: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lane = lane_of(optimiser=optimiser, rate=1e30, clip_by="off", cell="rnn", task="series")
        found = list(lane)
    assert found[-1].diverged
    assert not any(s.diverged for s in found[:-1])
    assert found[-1].tokens < 2_000
    assert found[-1].moment is None
    assert lane.ended
    assert next(lane, None) is None


def test_a_rate_set_while_it_runs_holds_from_the_next_update() -> None:
    lane = lane_of(optimiser="sgd", decay=1.0)
    rates = [next(lane).rate for _ in range(3)]
    lane.rate = 0.5
    assert rates == [0.002] * 3
    assert next(lane).rate == 0.5


def test_sgds_rate_falls_with_the_passes() -> None:
    lane = lane_of(Strategy(k=10), optimiser="sgd", rate=1.0, decay=0.5, tokens=12_000,
                   text="the quick brown fox jumps. " * 60)
    found = list(lane)
    steps = lane.streams.steps
    assert steps == (int(27 * 60 * 0.9) - 1) // 4
    for before, snapshot in pairwise(found):
        passes = before.tokens // 4 // steps
        assert snapshot.rate == 1.0 / (1 + 0.5 * passes)
    assert found[-1].rate <= 0.2


@pytest.mark.parametrize(("by", "limit"), [("norm", 1e-3), ("element", 1e-6)])
def test_clipping_says_how_much_it_took(by: str, limit: float) -> None:
    found = list(lane_of(clip_by=by, clip=limit))[1:]
    assert all(0.2 < s.clipped <= 1.0 for s in found)
    assert all(s.norm > limit for s in found)


def results(lane: Lane) -> list[Snapshot]:
    return [next(lane) for _ in range(6)]


def test_the_number_of_blas_threads_does_not_matter() -> None:
    options = {"hidden": 64, "batch": 32, "tokens": 20_000}
    with threadpool_limits(limits=2):
        one = lane_of(**options)
        ours = results(one)
    with threadpool_limits(limits=1):
        other = lane_of(**options)
        theirs = results(other)
    assert [(s.loss, s.norm) for s in ours[1:]] == [(s.loss, s.norm) for s in theirs[1:]]
    assert all(np.array_equal(block, other.weights()[name]) for name, block in one.weights().items())


def test_training_stays_in_its_precision() -> None:
    """An accidental double would make every pass over it slower."""
    lane = lane_of(EVERY[2], cell="gru", layers=2, embedding=3)
    results(lane)
    step = lane.step
    arrays = [*step.scan.pre, *step.scan.states, *step.factors, step.scorer.ys, *step.optimiser.memories,
              *(a for sweep in step.sweeps.values() for a in (*sweep.initial, *sweep.records)),
              *step.sums.room.values(), *lane.state, step.grads.flat]
    assert len(arrays) > 20
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


def test_half_life_of_what_halves_every_three_steps() -> None:
    norms = 0.5 ** (np.arange(40)[::-1] / 3)
    assert half_life(norms) == pytest.approx(3.0)
    assert half_life(np.concatenate((np.zeros(10), norms))) == pytest.approx(3.0)
    assert math.isnan(half_life(norms[::-1]))
    assert math.isnan(half_life(np.array([0.0, 0.0, 1.0])))
    assert math.isnan(half_life(np.array([np.inf, np.nan, 1.0, 2.0, np.nan])))
