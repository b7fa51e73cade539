"""Around the cells: blocks and shapes, embedding, readout, losses and their gradients."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest

from engine.network import first_inputs, layer_params, losses, losses_and_gradients, readout
from tests.engine.setups import CELL_IDS, CELL_KEYS, Sizes, case, full, relative


@pytest.mark.parametrize("embedding", [0, 2])
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_shapes_and_their_order(cell: tuple[str, bool], embedding: int) -> None:
    network = case(cell, Sizes(layers=2, embedding=embedding)).network
    shapes = network.shapes()
    assert list(shapes)[: int(bool(embedding))] == ["E"] * bool(embedding)
    assert list(shapes)[-2:] == ["W_hy", "b_y"]
    assert shapes["l0.W_ih"][1] == (embedding or 4)
    assert shapes["l1.W_ih"][1] == network.hidden
    assert ("l1.b_hn" in shapes) == (cell == ("gru", True))
    assert network.state == network.cell.parts * 5


def test_layer_params_are_the_layers_own() -> None:
    x = case(("lstm", True), Sizes(layers=2))
    assert list(layer_params(x.params, 1)) == ["W_ih", "W_hh", "b"]
    assert layer_params(x.params, 1)["b"] is x.params["l1.b"]


def test_an_embedding_is_a_row_of_e() -> None:
    x = case(("rnn", True), Sizes(embedding=2))
    symbols = np.random.default_rng(0).integers(4, size=(11, 3))
    one_hot = np.eye(4)[symbols].swapaxes(1, 2)
    found = first_inputs(x.params, one_hot)
    assert np.array_equal(found, x.params["E"][symbols].swapaxes(1, 2))
    plain = {name: block for name, block in x.params.items() if name != "E"}
    assert first_inputs(plain, one_hot) is one_hot


def test_readout_in_plain_loops() -> None:
    x = case(("rnn", True))
    h = np.random.default_rng(0).normal(size=(2, 5, 3))
    found = readout(x.params, h)
    for t in range(2):
        for o in range(3):
            for n in range(3):
                truth = x.params["b_y"][o] + math.fsum(x.params["W_hy"][o, j] * h[t, j, n] for j in range(5))
                assert found[t, o, n] == pytest.approx(truth, rel=1e-14)


@pytest.mark.parametrize("classify", [True, False])
def test_losses_by_definition(classify: bool) -> None:
    x = case(("rnn", True), Sizes(classify=classify))
    ys = np.random.default_rng(0).normal(size=(11, 3, 3))
    found, dy = losses_and_gradients(x.network, ys, x.data.targets)
    for t in range(11):
        for n in range(3):
            y, target = ys[t, :, n], x.data.targets[t, ..., n]
            if classify:
                truth = -math.log(math.exp(y[target]) / math.fsum(map(math.exp, y)))
            else:
                truth = 0.5 * math.fsum((a - b) ** 2 for a, b in zip(y, target, strict=True))
            assert found[t, n] == pytest.approx(truth, rel=1e-13)
    assert np.allclose(losses(x.network, ys, x.data.targets), found, rtol=1e-14)
    v = np.random.default_rng(1).normal(size=ys.shape)
    along = losses(x.network, ys + 1e-50j * v, x.data.targets).imag / 1e-50
    assert relative((dy * v).sum(axis=1), along) <= 1e-14


def test_a_class_that_is_certainly_right_or_wrong() -> None:
    x = case(("rnn", True), Sizes(T=2, B=1, O=2))
    ys = np.array([[[800.0], [-800.0]], [[-800.0], [800.0]]])
    found, dy = losses_and_gradients(x.network, ys, np.zeros((2, 1), int))
    assert found.ravel().tolist() == [0.0, 1600.0]
    assert dy[..., 0].tolist() == [[0.0, 0.0], [-1.0, 1.0]]


@pytest.mark.parametrize("ahead", [-700.0, -40.0, -1.0, 0.0, 1.0, 17.0, 40.0, 300.0])
def test_cross_entropy_keeps_its_digits_however_sure(ahead: float) -> None:
    """Against 400-digit arithmetic: the loss, its gradient, and its derivative by complex step."""
    x = case(("rnn", True), Sizes(T=1, B=1, O=3))
    ys, v = np.array([ahead, 0.0, 0.25]).reshape(1, 3, 1), np.array([0.2, -0.7, 1.1])
    with localcontext() as context:
        context.prec = 400
        others = [Decimal(0).exp(), Decimal("0.25").exp()]
        total = sum(others) + Decimal(ahead).exp()
        loss = float(total.ln() - Decimal(ahead))
        slopes = [float(-sum(others) / total), *(float(e / total) for e in others)]
    found, dy = losses_and_gradients(x.network, ys, np.zeros((1, 1), int))
    assert found[0, 0] == pytest.approx(loss, rel=1e-13, abs=0)
    assert dy.ravel().tolist() == pytest.approx(slopes, rel=1e-13, abs=0)
    along = losses(x.network, ys + 1e-100j * v.reshape(1, 3, 1), np.zeros((1, 1), int)).imag[0, 0] / 1e-100
    assert along == pytest.approx(float(np.dot(slopes, v)), rel=1e-12, abs=0)


def test_off_the_loss_steps_nothing_is_lost_and_nothing_flows() -> None:
    counts = np.zeros(11, bool)
    counts[[2, 6]] = True
    x = case(("gru", True), counts=counts)
    tape = x.tape(full(11))
    assert (tape.losses[~counts] == 0).all()
    assert (tape.dy[~counts] == 0).all()
    found = x.gradients(full(11))
    assert (found.states[0][7:] == 0).all()
    assert (found.states[0][6] != 0).any()


def test_a_batch_is_its_samples_side_by_side() -> None:
    """Per-step gradients are each sample's own; blocks are the samples' mean."""
    x = case(("lstm", True), Sizes(B=4, layers=2))
    whole = x.gradients(full(11))
    alone = []
    for n in range(4):
        data = replace(x.data, xs=x.data.xs[:, :, n : n + 1], targets=x.data.targets[:, n : n + 1],
                       initial=tuple(s[:, n : n + 1] for s in x.data.initial))
        alone.append(replace(x, data=data).gradients(full(11)))
    for name, block in whole.blocks.items():
        assert relative(block, np.mean([one.blocks[name] for one in alone], axis=0)) <= 1e-13
    for layer in (0, 1):
        side = np.concatenate([one.states[layer] for one in alone], axis=2)
        assert relative(whole.states[layer], side) <= 1e-13
        initial = np.concatenate([one.initial[layer] for one in alone], axis=1) / 4
        assert relative(whole.initial[layer], initial) <= 1e-13
