"""The museum's gradient pictures and their numbers once more: by complex step, by hand, by the analysis."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import engine
from engine.backprop import backprop
from engine.museum import Exhibit, exhibit
from engine.museum import gate_gradient as gates
from engine.museum import padding as padded
from engine.museum.runs import BASE, T, run, subject
from engine.museum.state_grad import N, handed
from engine.truncation import full_plan
from tests.engine.museum_reference import backward_by_hand, derivative, lstm


def amounts(found: Exhibit) -> dict[str, tuple[float, float]]:
    return {amount.name: (amount.broken, amount.mended) for amount in found.amounts}


def amount(found: Exhibit, part: str) -> tuple[float, float]:
    """Returns the pair of the one amount whose name holds this."""
    [pair] = [pair for name, pair in amounts(found).items() if part in name]
    return pair


def error(k: int, steps: int = T) -> tuple[float, float]:
    """Returns relative error and angle of window(k) beside full BPTT, as the Explore page's analysis has them."""
    config = engine.parse(BASE | {"style": "window", "k": k, "steps": steps})
    whole = engine.analyze(config, certify=False).costs.whole
    return whole.relative_error, whole.angle


def at(s: int, t: int, part: str, cut_h: tuple[int, ...] = (), cut_c: tuple[int, ...] = ()) -> float:
    x = subject()
    return derivative(x.params, x.data.xs, x.data.targets, x.data.initial[0], s, t, part, cut_h, cut_c)


def test_no_detach() -> None:
    found = exhibit("no_detach")
    per_step = 8 * 4 * (2 + 4 * 8 + 4 * 8 + 8 + 2 * 8 + 1 + 2)  # x, pre, gates, tanh c, h and c, loss, dL/dy; B = 4
    assert amount(found, "bytes") == (24 * per_step, 6 * per_step)
    assert amount(found, "all backward passes") == (6 + 12 + 18 + 24, 4 * 6)
    for s, t in ((23, 0), (23, 17), (12, 5)):
        assert found.maps.broken.values[s, t] == pytest.approx(at(s, t, "h"), rel=1e-10)
        assert found.maps.mended.values[s, t] == 0
    assert found.maps.mended.values[23, 18] == pytest.approx(at(23, 18, "h", (6, 12, 18), (6, 12, 18)), rel=1e-10)


def test_retain_graph() -> None:
    found = exhibit("retain_graph")
    far, near = amount(found, "full BPTT")
    assert far < 1e-13
    assert near == pytest.approx(error(6)[0], rel=1e-9)
    assert amount(found, "1,000 windows") == (6 * sum(range(1, 1001)), 6 * 1000)
    assert found.picture is not None
    assert found.picture.series[0].y.tolist() == [6, 12, 18, 24]


def test_h_not_c() -> None:
    found = exhibit("h_not_c")
    edge = (8, 16)
    leak = at(23, 15, "c", cut_h=edge)
    assert amount(found, "at step 15, across the edge") == pytest.approx((leak, 0.0), rel=1e-10)
    assert amount(found, "share of the uncut")[0] == pytest.approx(leak / at(23, 15, "c"), rel=1e-10)
    assert amount(found, "earliest step") == (0, 16)
    for s, t in ((23, 15), (23, 10), (23, 0), (14, 4)):
        both = np.hypot(found.maps.broken.values[s, t], 0)
        # h and c are averaged over the batch one by one, then joined
        assert both == pytest.approx(np.hypot(at(s, t, "h", edge), at(s, t, "c", edge)), rel=1e-10)
    assert not found.maps.mended.values[16:, :16].any()
    assert found.maps.broken.values[16:, :16].all()


def test_detach_every_step() -> None:
    found = exhibit("detach_every_step")
    assert amount(found, "relative error") == pytest.approx((error(1)[0], error(8)[0]), rel=1e-9)
    assert amount(found, "angle") == pytest.approx((error(1)[1], error(8)[1]), rel=1e-9)
    off = ~np.eye(T, dtype=bool)
    assert not found.maps.broken.values[off].any()
    assert found.maps.broken.values[7, 7] == pytest.approx(at(7, 7, "h"), rel=1e-10)
    assert f"{at(7, 6, 'h'):.3g}" in found.maps.sentence


def test_keras_stateful() -> None:
    found = exhibit("keras_stateful")
    assert amount(found, "relative error") == pytest.approx((error(4)[0], error(12)[0]), rel=1e-9)
    assert amount(found, "reaches step 3") == pytest.approx((0.0, at(4, 3, "h")), rel=1e-10)
    assert amount(found, "as a value") == pytest.approx((at(4, 3, "h"),) * 2, rel=1e-10)
    assert amount(found, "furthest lag") == (3, 11)


def test_tensor_split() -> None:
    found = exhibit("tensor_split")
    sections, pieces = np.array_split(np.arange(40), 10), np.split(np.arange(40), np.arange(10, 40, 10))
    assert amount(found, "windows") == (len(sections), len(pieces))
    assert amount(found, "steps in a window") == (len(sections[0]), len(pieces[0]))
    assert amount(found, "relative error") == pytest.approx((error(4, 40)[0], error(10, 40)[0]), rel=1e-9)
    for side, windows in ((found.maps.broken.values, sections), (found.maps.mended.values, pieces)):
        reached = np.concatenate([np.arange(len(window)) for window in windows])  # steps back that each loss gets
        assert ((side > 0).sum(axis=1) == reached + 1).all()
    share = [np.mean([n >= 6 for window in windows for n in range(len(window))]) for windows in (sections, pieces)]
    assert amount(found, "6 steps back") == tuple(share)


def test_state_grad_in_rational_numbers() -> None:
    """The loop: w = 1/5, x_0 = 9/10; a stored state's gradient is what all passes so far have brought it."""
    w, kept = Fraction(1, 5), [Fraction(0)] * N
    slopes, found = [], exhibit("state_grad")
    for s in range(1, N + 1):
        arriving, slope = Fraction(1), Fraction(0)
        for t in range(s - 1, -1, -1):
            slope += arriving * Fraction(9, 10) * w**t
            kept[t] += arriving * w
            arriving = kept[t]
            assert handed(clear=False)[s - 1, t] == pytest.approx(float(arriving), rel=1e-14)
            assert handed(clear=True)[s - 1, t] == pytest.approx(float(w) ** (s - t), rel=1e-14)
        slopes.append(slope)
    true = [n * w ** (n - 1) * Fraction(9, 10) for n in range(1, N + 1)]
    assert (slopes[2], true[2]) == (Fraction(288, 1000), Fraction(108, 1000))
    assert amount(found, "x_0 = 0.9") == pytest.approx((0.288, 0.108), rel=1e-14)
    assert amount(found, f"dx_{N}/dw") == pytest.approx((float(slopes[-1] / true[-1]), 1.0), rel=1e-12)


def test_zero_in_window() -> None:
    """The last window by itself, from the state that the run has there."""
    found, x = exhibit("zero_in_window"), subject()
    states = run(x).layers[0].states
    piece = replace(x.data, xs=x.data.xs[18:], targets=x.data.targets[18:], counts=x.data.counts[18:],
                    initial=(states[17],))
    alone = backprop(x.network, x.params, run(replace(x, data=piece)), full_plan(6))
    config = engine.parse(BASE | {"style": "window", "k": 6})
    whole = engine.analyze(config, include=frozenset({"gradients"}), certify=False).gradients
    assert whole is not None
    a = np.concatenate([alone.blocks[name].ravel() for name in whole])
    b = np.concatenate([block.ravel() for block in whole.values()])
    assert amount(found, "share of that") == pytest.approx((a @ b / (b @ b), 1.0), rel=1e-9)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert amount(found, "angle")[0] == pytest.approx(np.degrees(np.arccos(cosine)), rel=1e-6)
    assert amount(found, "relative error")[0] == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(b), rel=1e-9)
    assert not found.maps.broken.values[:18].any()
    assert np.array_equal(found.maps.broken.values[18:], found.maps.mended.values[18:])


def test_padding() -> None:
    """The shortest row alone, with nothing to fill up; and its loss after 21 zeros by complex step."""
    found = exhibit("padding")
    x = subject(batch=8, steps=24)
    real = np.arange(24)[:, None] < padded.LENGTHS
    xs = x.data.xs * real[:, None]
    targets = np.broadcast_to(x.data.targets[0], (24, 8))
    for row, length in enumerate(padded.LENGTHS.tolist()):
        one, zero = xs[:, :, row : row + 1], np.zeros((16, 1))
        alone = lstm(x.params, one[:length], zero)[-1].h
        filled = lstm(x.params, one, zero)[-1].h
        args = (x.params, one, targets[:, row : row + 1], zero)
        late, right = (derivative(*args, s=s, t=length - 1, part="h") for s in (23, length - 1))
        assert found.maps.broken.values[row, length - 1] == pytest.approx(late, rel=1e-9)
        assert found.maps.mended.values[row, length - 1] == pytest.approx(right, rel=1e-9)
        if row == 0:
            off = np.linalg.norm(filled - alone) / np.linalg.norm(alone)
            assert amount(found, "is off, relatively") == pytest.approx((off, 0.0), rel=1e-9)
            assert amount(found, "comes back through") == pytest.approx((late / right, 1.0), rel=1e-9)
    assert not found.maps.mended.values[0, 3:].any()


def test_gate_gradient() -> None:
    """The wrong backward pass once more, written as the broken program writes it."""
    found, x = exhibit("gate_gradient"), subject(gain=gates.GAIN)
    kept = lstm(x.params, x.data.xs, x.data.initial[0])
    for s in (23, 9):
        y = x.params["W_hy"] @ kept[s].h + x.params["b_y"][:, None]
        dy = np.exp(y) / np.exp(y).sum(axis=0)
        dy[x.data.targets[s], np.arange(dy.shape[1])] -= 1
        dh = x.params["W_hy"].T @ dy
        for derivatives, side in ((False, found.maps.broken.values), (True, found.maps.mended.values)):
            back = backward_by_hand(x.params, kept[: s + 1], dh, derivatives)
            norms = [np.linalg.norm(one, axis=0).mean() for one in reversed(back)]
            np.testing.assert_allclose(side[s, : s + 1], norms, rtol=1e-10)
    args = (x.params, x.data.xs, x.data.targets, x.data.initial[0])
    assert found.maps.mended.values[23, 0] == pytest.approx(derivative(*args, 23, 0, "h"), rel=1e-9)
    growth = amount(found, "each step back")
    assert growth[0] > 1 > growth[1]


def test_forget_product() -> None:
    found, x = exhibit("forget_product"), subject()
    kept = lstm(x.params, x.data.xs, x.data.initial[0])
    last, first = (found.maps.broken.values[23], found.maps.mended.values[23])
    assert last[23] == pytest.approx(first[23], rel=1e-12)
    y = x.params["W_hy"] @ kept[23].h + x.params["b_y"][:, None]
    dy = np.exp(y) / np.exp(y).sum(axis=0)
    dy[x.data.targets[23], np.arange(dy.shape[1])] -= 1
    start = (x.params["W_hy"].T @ dy) * kept[23].o * (1 - np.tanh(kept[23].c) ** 2)
    product = np.prod([step.f for step in kept[1:24]], axis=0)
    rule = np.linalg.norm(start * product, axis=0).mean()
    assert amount(found, "|dL/dc_0|") == pytest.approx((rule, at(23, 0, "c")), rel=1e-9)
    assert f"{at(23, 0, 'c') / rule:.3g} times" in found.sentence


def test_num_steps_depth() -> None:
    found = exhibit("num_steps_depth")
    layer = [4 * 8 * (width + 8) + 4 * 8 for width in (2, *[8] * 7)]  # W_ih, W_hh, b of 8 units
    readout = 2 * 8 + 2
    assert amount(found, "parameters") == (sum(layer) + readout, layer[0] + readout)
    off = ~np.eye(T, dtype=bool)
    assert not found.maps.broken.values[off].any()
    x = subject()
    assert found.maps.mended.values.any(axis=1).all()
    assert amount(found, "furthest lag") == (0, 7)
    assert x.network.layers == 1
    down, back = amount(found, "last layer down")
    assert down < 1e-5 < back
