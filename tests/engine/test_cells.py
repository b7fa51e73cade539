"""Each cell's step against its equation in plain loops, and its backward step against complex steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.cells import CELLS
from engine.network import layer_params
from tests.engine.setups import CELL_IDS, CELL_KEYS, Case, Sizes, case, full, relative


def sigma(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def row(w: dict, block: str, i: int, x: list[float]) -> float:
    return sum(float(w[block][i, j]) * x[j] for j in range(len(x)))


def rnn(w: dict, x: list, h: list, _: list, H: int) -> tuple[list, list]:
    return [math.tanh(row(w, "W_ih", i, x) + row(w, "W_hh", i, h) + w["b"][i]) for i in range(H)], []


def lstm(w: dict, x: list, h: list, c: list, H: int) -> tuple[list, list]:
    a = [row(w, "W_ih", i, x) + row(w, "W_hh", i, h) + w["b"][i] for i in range(4 * H)]
    after = [sigma(a[H + j]) * c[j] + sigma(a[j]) * math.tanh(a[2 * H + j]) for j in range(H)]
    return [sigma(a[3 * H + j]) * math.tanh(after[j]) for j in range(H)], after


def gru(w: dict, x: list, h: list, _: list, H: int) -> tuple[list, list]:
    out = []
    for j in range(H):
        r, z = (sigma(row(w, "W_ih", g * H + j, x) + row(w, "W_hh", g * H + j, h) + w["b"][g * H + j])
                for g in (0, 1))
        inside = row(w, "W_hh", 2 * H + j, h) + w["b_hn"][j]
        n = math.tanh(row(w, "W_ih", 2 * H + j, x) + w["b"][2 * H + j] + r * inside)
        out.append((1 - z) * n + z * h[j])
    return out, []


def gru_before(w: dict, x: list, h: list, _: list, H: int) -> tuple[list, list]:
    gate = [sigma(row(w, "W_ih", i, x) + row(w, "W_hh", i, h) + w["b"][i]) for i in range(2 * H)]
    gated = [gate[j] * h[j] for j in range(H)]
    out = []
    for j in range(H):
        n = math.tanh(row(w, "W_ih", 2 * H + j, x) + row(w, "W_hh", 2 * H + j, gated) + w["b"][2 * H + j])
        out.append((1 - gate[H + j]) * n + gate[H + j] * h[j])
    return out, []


PLAIN = dict(zip(CELL_KEYS, (rnn, lstm, gru, gru_before), strict=True))


def plain_states(x: Case, cell: tuple[str, bool], reset: set[int]) -> np.ndarray:
    """Returns every layer's states, (layers, T, S, B), in nothing but scalar arithmetic."""
    T, _, B = x.data.xs.shape
    H = x.network.hidden
    out = np.zeros((x.network.layers, T, x.network.state, B))
    for b in range(B):
        below = [x.data.xs[t, :, b].tolist() for t in range(T)]
        for layer in range(x.network.layers):
            w, start = layer_params(x.params, layer), x.data.initial[layer][:, b].tolist()
            h, c = start[:H], start[H:]
            for t in range(T):
                if t in reset:
                    h, c = start[:H], start[H:]
                h, c = PLAIN[cell](w, below[t], h, c, H)
                out[layer, t, :, b] = h + c
            below = out[layer, :, :H, b].tolist()
    return out


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_forward_is_the_equation(cell: tuple[str, bool], layers: int) -> None:
    x = case(cell, Sizes(T=6, layers=layers))
    plan = full(6)
    plan.reset[4] = True
    tape, truth = x.tape(plan), plain_states(x, cell, {4})
    for layer, kept in enumerate(tape.layers):
        assert relative(kept.states, truth[layer]) < 1e-14
        assert np.array_equal(kept.entering[4], x.data.initial[layer])
        assert np.array_equal(kept.entering[5], kept.states[4])


@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_fold_is_the_jacobian_of_one_step(cell: tuple[str, bool]) -> None:
    """Rows of dL/ds' through prepare, fold and highway give dL/ds and dL/dx, by complex steps of the cell."""
    x = case(cell, Sizes(T=3, B=2))
    kept, w, c, H = x.tape(full(3)).layers[0], layer_params(x.params, 0), CELLS[cell], x.network.hidden
    S, D, t = x.network.state, x.data.xs.shape[1], 1
    f = kept.factors[t]
    rows = np.tile(np.eye(S), (2, 1, 1))
    c.prepare(f, rows, np.empty((2, S, H)))
    to_h, to_x = rows @ c.folded(w, f, "W_hh"), rows @ c.folded(w, f, "W_ih")
    c.highway(f, rows)
    for n in range(2):
        by_state = jacobian(x, t, n, S, lambda v: (v, np.zeros(D)))
        by_input = jacobian(x, t, n, D, lambda v: (np.zeros(S), v))
        assert relative(to_h[n], by_state[:, :H]) < 1e-13
        assert relative(rows[n][:, H:], by_state[:, H:]) < 1e-13
        assert relative(to_x[n], by_input) < 1e-13


def jacobian(x: Case, t: int, n: int, width: int, direct: object) -> np.ndarray:
    """Returns d state_t / d (what `direct` moves), (S, width), for sample n."""
    kept, w, c = x.tape(full(3)).layers[0], layer_params(x.params, 0), x.network.cell
    out = np.empty((x.network.state, width))
    for column in range(width):
        ds, dx = direct(np.eye(width)[column])
        state = kept.entering[t][:, n, None] + 1e-50j * ds[:, None]
        pre = (w["W_ih"] @ (kept.xs[t][:, n] + 1e-50j * dx) + w["b"])[:, None]
        after = np.empty_like(state)
        c.forward(w, state, pre, np.empty_like(pre), np.empty((kept.extra.shape[1], 1), complex), after)
        out[:, column] = after[:, 0].imag / 1e-50
    return out


@pytest.mark.parametrize("cell", CELL_KEYS, ids=CELL_IDS)
def test_shapes_agree_with_what_the_cell_says(cell: tuple[str, bool]) -> None:
    x = case(cell, Sizes(H=6, D=2))
    c, kept = CELLS[cell], x.tape(full(11)).layers[0]
    assert c.name == cell[0]
    assert c.shapes(2, 6)["W_ih"] == (6 * c.gates, 2)
    assert kept.pre.shape == kept.act.shape == (11, 6 * c.gates, 3)
    assert kept.states.shape == kept.entering.shape == (11, 6 * c.parts, 3)
    assert kept.extra.shape == (11, 6 * c.extras, 3)
    assert c.terms(kept, np.zeros((11, 6 * c.records, 3))).keys() == c.shapes(2, 6).keys()
