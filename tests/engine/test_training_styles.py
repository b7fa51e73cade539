"""The gradient of one update, for every style, beside its definition: a sum over losses of gradients that the
certified sweep of an analysis gives."""

from __future__ import annotations

import numpy as np
import pytest

from engine.arrays import Params
from engine.backprop import backprop
from engine.network import Network
from engine.training import Lab, Strategy
from engine.training.corpus import corpus_of, network_of
from engine.training.lane import Lane
from engine.training.pieces import plan_of_piece
from engine.training.streams import Stretch, rows
from engine.truncation import Plan, full_plan
from engine.unroll import Data, Tape, unroll

BASE = {"hidden": 5, "batch": 3, "tokens": 180, "seeds": 1, "evaluations": 1, "dtype": "float64", "rate": 0.0,
        "clip_by": "off", "optimiser": "sgd", "loss": "sum"}
CELLS = [{"cell": "lstm"}, {"cell": "rnn"}, {"cell": "gru"}, {"cell": "gru", "reset_after": False},
         {"cell": "lstm", "layers": 2, "embedding": 4}, {"cell": "gru", "task": "series"}]


def lane_of(strategy: Strategy, **options: object) -> Lane:
    """Returns a lane whose weights stay as they are, so that its updates' gradients can be added up."""
    lab = Lab(**{**BASE, **options}, strategies=(strategy,))
    return Lane(lab, 0, 0, corpus_of(lab))


def summed(lane: Lane) -> Params:
    """Returns the sum of the gradients of all updates of a lane."""
    total = {name: np.zeros_like(block) for name, block in lane.weights().items()}
    for snapshot in lane:
        for name, block in lane.step.grads.views.items():
            total[name] += block if snapshot.update else 0.0
    return total


def data_of(lane: Lane, steps: int) -> tuple[Network, Data]:
    """Returns the first steps of the lane's stream as an analysis takes them: one-hot, in double precision."""
    corpus, network = lane.corpus, network_of(lane.lab, lane.corpus)
    stream = rows(corpus.train, lane.lab.batch, "float64")
    xs = stream.xs[:steps]
    if corpus.vocabulary:
        xs = np.swapaxes(np.eye(corpus.inputs)[xs], 1, 2)
    zero = tuple(np.zeros((network.state, lane.lab.batch)) for _ in range(network.layers))
    return network, Data(xs, stream.targets[:steps], np.ones(steps, bool), zero)


def by_definition(lane: Lane, plan: Plan) -> Params:
    """Returns the plan's gradient along the whole stream: weights do not change, so that one tape serves all."""
    network, data = data_of(lane, plan.steps)
    params = lane.weights()
    return backprop(network, params, unroll(network, params, data, plan.reset), plan).blocks


def same(ours: Params, theirs: Params) -> None:
    assert set(ours) == set(theirs)
    for name, block in ours.items():
        np.testing.assert_allclose(block, theirs[name], rtol=1e-10, atol=1e-12 * np.abs(theirs[name]).max())


def blank(steps: int, tracks: int) -> Plan:
    return Plan("", np.zeros(1, np.int64), np.zeros(steps, bool), np.zeros((steps, tracks)), np.ones((steps, tracks)))


def passes(steps: int, every: int, back: int) -> Plan:
    """Returns the plan of `every` losses at a time that go back `back` steps from their end, a track each."""
    plan = blank(steps, -(-steps // every))
    for track, first in enumerate(range(0, steps, every)):
        plan.inject[first : first + every, track] = 1.0
        if first + every - back > 0:
            plan.edge[first + every - back, track] = 0.0
    return plan


@pytest.mark.parametrize("options", CELLS, ids=str)
@pytest.mark.parametrize(("strategy", "every", "back"), [
    (Strategy("window", k=7), 7, 7), (Strategy("sliding", k=6), 1, 6), (Strategy("sliding", k=1), 1, 1),
    (Strategy("k1k2", k1=4, k2=10), 4, 10), (Strategy("k1k2", k1=5, k2=5), 5, 5),
    (Strategy("window", k=60), 60, 60)], ids=lambda x: getattr(x, "name", str(x)))
def test_every_style_is_its_definition(strategy: Strategy, every: int, back: int, options: dict[str, object]) -> None:
    lane = lane_of(strategy, **options)
    same(summed(lane), by_definition(lane, passes(lane.total, every, back)))


@pytest.mark.parametrize(("strategy", "every"), [
    (Strategy("window", k=7, value="reset"), 7), (Strategy("sliding", k=6, value="reset"), 6),
    (Strategy("k1k2", k1=4, k2=10, value="reset"), 4)], ids=lambda x: getattr(x, "name", str(x)))
def test_with_the_value_reset_nothing_crosses_a_window(strategy: Strategy, every: int) -> None:
    lane = lane_of(strategy)
    plan = full_plan(lane.total)
    plan.reset[every::every] = True
    plan.edge[plan.reset] = 0.0
    same(summed(lane), by_definition(lane, plan))


def test_random_cuts_weigh_what_they_let_through() -> None:
    strategy = Strategy("random", p=0.2)
    lane = lane_of(strategy)
    starts, inner = [], np.full((lane.total, 1), 1 / 0.8)
    while not lane.ended:
        starts.append(lane.start)
        next(lane)
        starts = starts[-1:] if lane.update == 0 else starts
    plan = full_plan(lane.total)
    plan.edge[:] = inner
    plan.edge[starts[1:]] = 0.0
    plan.edge[0] = 1.0
    assert len(set(np.diff(starts).tolist())) > 3
    same(summed(lane_of(strategy)), by_definition(lane, plan))


def test_frozen_recurrence_has_no_gradient_and_does_not_move() -> None:
    lane = lane_of(Strategy(k=7, frozen=True), cell="gru", rate=0.1)
    before = lane.weights()
    total, after = summed(lane), lane.weights()
    for name in before:
        held = name in ("l0.W_hh", "l0.b_hn")
        assert (total[name] == 0).all() == held
        assert np.array_equal(before[name], after[name]) == held


def test_losses_of_a_sequence_are_one_update_where_asked() -> None:
    """Windows of 5 in copy sequences of 17, a loss from step 4 on: the mean over the sequence's losses."""
    options = {"task": "copy", "lag": 4, "steps": 17, "tokens": 51, "loss": "mean", "update": "sequence"}
    lane = lane_of(Strategy(k=5), **options)
    found = summed(lane)
    assert lane.update == 1
    network, made = network_of(lane.lab, lane.corpus), lane.streams.stretch(0)
    plan = passes(17, 5, 5)
    params = lane.weights()
    blocks = backprop(network, params, _tape(network, params, made), plan).blocks
    same(found, {name: block / 13 for name, block in blocks.items()})


def _tape(network: Network, params: Params, made: Stretch) -> Tape:
    zero = tuple(np.zeros((network.state, made.xs.shape[1])) for _ in range(network.layers))
    xs = np.swapaxes(np.eye(network.inputs)[made.xs], 1, 2)
    return unroll(network, params, Data(xs, made.targets, made.counts, zero), np.zeros(made.steps, bool))


def test_a_sliding_piece_gives_every_loss_its_own_track() -> None:
    plan = plan_of_piece(Strategy("sliding", k=4), 7, 4)
    assert plan.inject.sum() == plan.tracks == 4
    assert plan.inject.argmax(axis=0).tolist() == [3, 4, 5, 6]
    assert [np.flatnonzero(plan.edge[:, j] == 0).tolist() for j in range(4)] == [[], [1], [2], [3]]
