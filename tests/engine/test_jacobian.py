"""Step Jacobians beside the complex step through the cells' own forward."""

from __future__ import annotations

import numpy as np
import pytest

from engine.jacobian import step_jacobian
from engine.network import layer_params
from engine.truncation import full_plan
from engine.unroll import Tape, project
from tests.engine.setups import CELL_IDS, CELL_KEYS, Case, Sizes, case, relative

EPS = 1e-30


def by_complex_step(x: Case, tape: Tape, t: int, b: int) -> np.ndarray:
    """Returns ds_t/ds_{t-1}, one column for each unit of each layer's state before the step."""
    network = x.network
    S, H, n = network.state, network.hidden, network.layers * network.state
    columns = np.zeros((n, n))
    for unit in range(n):
        below, after = tape.layers[0].xs[t : t + 1, :, b : b + 1].astype(complex), []
        for layer, kept in enumerate(tape.layers):
            w = layer_params(x.params, layer)
            entering = kept.entering[t, :, b : b + 1].astype(complex)
            if unit // S == layer:
                entering[unit % S] += 1j * EPS
            pre = project(w, below)[0]
            act, extra, out = np.empty_like(pre), np.empty((kept.extra.shape[1], 1), complex), np.empty((S, 1), complex)
            network.cell.forward(w, entering, pre, act, extra, out)
            after.append(out[:, 0].imag / EPS)
            below = out[None, :H]
        columns[:, unit] = np.concatenate(after)
    return columns


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_jacobians_are_the_complex_step_of_the_forward_pass(cell: tuple[str, bool], layers: int) -> None:
    x = case(cell, Sizes(T=6, B=2, H=4, layers=layers), scale=0.7)
    tape = x.tape(full_plan(6))
    for t in (0, 1, 5):
        for b in range(2):
            J = step_jacobian(x.network, x.params, tape, t, b)
            truth = by_complex_step(x, tape, t, b)
            assert relative(J, truth) <= 1e-13
            assert ((J == 0) == (truth == 0)).all(), "what does not depend is exactly 0"


def test_an_embedding_changes_nothing() -> None:
    x = case(("lstm", True), Sizes(T=4, embedding=3, layers=2))
    tape = x.tape(full_plan(4))
    assert relative(step_jacobian(x.network, x.params, tape, 2, 1), by_complex_step(x, tape, 2, 1)) <= 1e-13


@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_their_product_takes_a_loss_back(cell: tuple[str, bool]) -> None:
    """dL/ds_0 of the last loss is its gradient at its own step times all Jacobians between."""
    counts = np.arange(8) == 7
    x = case(cell, Sizes(T=8, B=1, H=3, layers=2), counts=counts)
    tape = x.tape(full_plan(8))
    row = np.zeros(2 * x.network.state)
    row[x.network.state : x.network.state + 3] = x.params["W_hy"].T @ tape.dy[7, :, 0]
    for t in range(7, -1, -1):
        row = row @ step_jacobian(x.network, x.params, tape, t)
    assert relative(row, np.concatenate(x.gradients(full_plan(8)).initial)[:, 0]) <= 1e-12
