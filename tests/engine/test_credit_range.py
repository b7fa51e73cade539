"""A credit matrix whose squares leave double precision's range on the way back: it is that of a sweep that was careful
from the first step on."""

from __future__ import annotations

import numpy as np
import pytest

import engine.credit
from engine.cells import CELLS
from engine.credit import credit
from engine.network import Network
from engine.unroll import Data, unroll

T, H, B = 60, 5, 2


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS, ids="-".join(("{0[0]}", "{0[1]}")).format)
def test_what_was_begun_without_care_is_done_again(cell: tuple[str, bool], layers: int,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    network = Network(CELLS[cell], layers=layers, inputs=3, hidden=H, outputs=1, embedding=0, classify=False)
    params = {name: rng.uniform(-1, 1, shape) for name, shape in network.shapes().items()}
    for name in params:
        if "W_hh" in name:
            params[name] *= 1e-12  # what goes back through the gates and the state vanishes within a few steps
        if name.endswith(".b") and cell[0] != "rnn":
            params[name][H : 2 * H] = -25.0  # and what would be kept beside them too: sigmoid(-25) = 1.4e-11
    data = Data(rng.standard_normal((T, 3, B)), rng.standard_normal((T, 1, B)), np.ones(T, bool),
                tuple(np.zeros((network.state, B)) for _ in range(layers)))
    reset, rows = np.zeros(T, bool), np.arange(0, T, 2)
    reset[20] = True
    tape = unroll(network, params, data, reset)
    back, asked = engine.credit._Rows.back, []

    def seen(*words: object) -> object:
        asked.append(words[-1])
        return back(*words)

    monkeypatch.setattr(engine.credit._Rows, "back", seen)
    found = credit(network, params, tape, reset, rows)
    assert asked == [False, *[True] * 4], "the first sixteen steps are gone through again"
    monkeypatch.setattr(engine.credit._Rows, "back", lambda *words: back(*words[:-1], True))
    for part, careful in zip(found, credit(network, params, tape, reset, rows), strict=True):
        assert part is None or (np.array_equal(part, careful) and part.max() > 0.01)


@pytest.mark.parametrize("cell", CELLS, ids="-".join(("{0[0]}", "{0[1]}")).format)
def test_no_loss_has_no_row(cell: tuple[str, bool]) -> None:
    network = Network(CELLS[cell], layers=1, inputs=3, hidden=H, outputs=1, embedding=0, classify=False)
    params = {name: np.full(shape, 0.1) for name, shape in network.shapes().items()}
    data = Data(np.ones((T, 3, B)), np.ones((T, 1, B)), np.ones(T, bool), (np.zeros((network.state, B)),))
    reset = np.zeros(T, bool)
    found = credit(network, params, unroll(network, params, data, reset), reset, np.zeros(0, np.int64))
    assert [None if part is None else part.shape for part in found] == [(0, T), (0, T) if cell[0] == "lstm" else None]
