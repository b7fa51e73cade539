"""The museum's trainings and their losses once more: by plain forward passes, by counting, and by what is possible."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from engine.config import Config
from engine.initial import draw
from engine.museum import Exhibit, exhibit
from engine.museum.places import PLACES, K, looks
from engine.museum.short_series import EPOCHS, LENGTH, train
from engine.museum.streams import BATCH, HIDDEN, NETWORK, Course, bits, forward, indices
from engine.museum.streams import train as train_stream
from engine.museum.validation_state import STEPS
from engine.published.bits_training import Recipe, held_out
from engine.published.bits_training import train as train_published
from tests.engine.museum_reference import rnn_credit, rnn_losses


def amount(found: Exhibit, part: str) -> tuple[float, float]:
    """Returns the pair of the one amount whose name holds this."""
    [pair] = [(one.broken, one.mended) for one in found.amounts if part in one.name]
    return pair


def least(seen: int) -> float:
    """Returns the least expected loss of who sees x[t] ... x[t - seen], by enumeration of all echoes."""
    total = 0.0
    for x3, x8 in product((0, 1), repeat=2):
        cases = [(a, b) for a, b in product((0, 1), repeat=2) if (seen < 3 or a == x3) and (seen < 8 or b == x8)]
        p = np.mean([0.5 + 0.5 * a - 0.25 * b for a, b in cases])
        total -= sum(q * np.log(q) for q in (p, 1 - p) if q > 0) / 4
    return float(total)


def test_reset_every_batch() -> None:
    found = exhibit("reset_every_batch")
    reset, carried = amount(found, "last quarter")
    assert amount(found, "least loss") == pytest.approx((np.mean([least(n) for n in range(5)]), least(8)), rel=1e-12)
    assert reset == pytest.approx(np.mean([least(n) for n in range(5)]), abs=0.01)
    assert least(8) < carried < least(3)
    assert amount(found, "echo after 3") == (2 / 5, 1)
    assert amount(found, "echo after 8") == (0, 1)


def test_the_trainings_agree_with_those_of_the_published_results() -> None:
    """Another loop over other bits comes to the same losses."""
    for carry in (True, False):
        other = float(held_out(train_published(Recipe(5, carry=carry, updates=600, batch=50))).mean())
        assert train_stream(Course(carry=carry)).late == pytest.approx(other, abs=0.015)


def test_shuffled_windows() -> None:
    found = exhibit("shuffled_windows")
    shuffled, streams = amount(found, "last quarter")
    reset = amount(found, "state reset")[0]
    assert streams < reset < shuffled < least(0)
    assert amount(found, "does not continue")[1] == 0


def test_where_the_losses_look_by_perturbing_single_states() -> None:
    """Some places of the three layouts by complex step, each row read by itself."""
    params = train_stream(Course()).params
    read, targets = bits(PLACES, seed=7)
    for layout in ("streams", "loader", "shuffled"):
        found = looks(params, layout)
        row = indices(layout, 4, K, 2)[:, :, 0].ravel()
        for s, t in ((7, 7), (7, 2), (19, 4)):
            expected = rnn_credit(params, read[row][:, None], targets[row][:, None], s, t)
            assert found.values[row[s], row[t]] == pytest.approx(expected, rel=1e-8)
            assert found.continued[row[s], row[t]] == (row[s] - row[t] == s - t)
        other = indices(layout, 4, K, 2)[:, :, 1].ravel()
        assert not found.values[np.ix_(row, other)].any()


def test_the_layouts_read_every_place_once() -> None:
    for layout in ("streams", "loader", "shuffled"):
        places = indices(layout, 6, 5, 4)
        assert places.shape == (6, 5, 4)
        assert sorted(places.ravel().tolist()) == list(range(120))
        assert (np.diff(places, axis=1) == 1).all()
    rows = indices("streams", 6, 5, 4).transpose(2, 0, 1).reshape(4, -1)
    assert (np.diff(rows, axis=1) == 1).all()


def test_last_batch() -> None:
    found = exhibit("last_batch")
    places = indices("loader", 2, K, BATCH)
    gap = places[1, 0] - places[0, -1] - 1
    assert set(gap.tolist()) == {245}
    assert amount(found, "places between")[0] == 245
    loader, streams = amount(found, "last quarter")
    assert streams < 0.5 < 0.62 < loader
    assert amount(found, "right before it")[0] == 0
    assert found.maps.broken.values[10, 4] > 0


def test_validation_state() -> None:
    found, trained = exhibit("validation_state"), train_stream(Course())
    read, targets = (part.reshape(BATCH, STEPS).T for part in bits(STEPS * BATCH, seed=11))
    states = [np.roll(trained.state, n, axis=1) for n in range(8)]
    left = [rnn_losses(trained.params, read, targets, state).real[:8].mean() for state in states]
    fresh = rnn_losses(trained.params, read, targets, np.zeros_like(trained.state)).real[:8].mean()
    assert amount(found, "loss of the first 8 steps") == pytest.approx((left[0], fresh), rel=1e-10)
    assert amount(found, "same weights") == pytest.approx((max(left) - min(left), 0.0), rel=1e-8)
    assert found.maps.broken.values[:, :12].all()
    assert not found.maps.mended.values[:, :12].any()


def test_sum_loss_clip() -> None:
    """Before the first update both have the same weights: the sum's norm is five times the mean's."""
    found = exhibit("sum_loss_clip")
    mean, total = (train_stream(Course(sgd=0.5, clip=0.25, scale=scale)) for scale in (1, 5))
    assert total.norms[0] == pytest.approx(5 * mean.norms[0], rel=1e-12)
    assert amount(found, "are clipped") == tuple(float(np.mean(one.norms > 0.25)) for one in (total, mean))
    assert amount(found, "median norm") == tuple(sorted(one.norms)[299:301][0] / 2 + sorted(one.norms)[300] / 2
                                                 for one in (total, mean))
    np.testing.assert_allclose(found.maps.broken.values, 5 * found.maps.mended.values, rtol=1e-14)
    assert amount(found, "spread")[0] < 0.01 < amount(found, "spread")[1]


def test_a_step_is_as_long_as_clipping_lets_it_be() -> None:
    """One update of SGD by hand: from the loss's own differences, clipped, times the rate."""
    read, targets = bits(600 * 5 * BATCH, seed=0)
    places = indices("streams", 600, 5, BATCH)[0]
    once = train_stream(Course(sgd=0.5, clip=0.05))
    state = np.zeros((16, BATCH))
    start = once.losses[0]
    from_start = rnn_losses(_initial(), read[places], targets[places], state).real.mean()
    assert start == pytest.approx(from_start, rel=1e-12)
    assert forward(_initial(), read[places], targets[places], state).losses.mean() == pytest.approx(start, rel=1e-12)
    assert once.norms[0] == pytest.approx(_numerical_norm(read[places], targets[places], state), rel=1e-6)


def _initial() -> dict[str, np.ndarray]:
    return draw(NETWORK, Config(hidden=HIDDEN), np.random.default_rng(2))


def _numerical_norm(read: np.ndarray, targets: np.ndarray, state: np.ndarray) -> float:
    """Returns the norm of the gradient of the mean loss, by complex steps in every weight."""
    square = 0.0
    for name, block in _initial().items():
        for place in np.ndindex(block.shape):
            params = {other: value.astype(complex) for other, value in _initial().items()}
            params[name][place] += 1e-30j
            square += (rnn_losses(params, read, targets, state).mean().imag / 1e-30) ** 2
    return float(np.sqrt(square))


def test_short_series() -> None:
    found = exhibit("short_series")
    assert list(range(LENGTH // 20)) == []
    assert amount(found, "updates in") == (0, EPOCHS)
    assert len(list(range(0, LENGTH, 20))) == 1
    broken, mended = train(0), train(1)
    assert np.ptp(broken) == 0
    assert broken[0] == mended[0]
    assert (mended[1:] < mended[0]).all()
    assert mended[-1] < 0.05 * broken[-1]
    assert amount(found, "never read") == (59 - 2 * 20, 0)
    assert not found.maps.broken.values.any()
