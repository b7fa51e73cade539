"""The split of the state gradient: each way alone by the complex step, the others held still; and the 1997 rule."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine import Given, parse
from engine.arrays import quiet_single_thread
from engine.diagnostics import Paths
from engine.network import layer_params
from engine.paths import WAYS, paths
from engine.reference import Reference, reference
from tests.engine.setups import CELL_IDS, CELL_KEYS, CELL_OPTIONS, relative
from tests.engine.top_layer import GATES, later_losses, sigmoid

T, H, B = 7, 3, 2
EPS = 1e-30
SMALL = {"hidden": H, "batch": B, "steps": T, "gain": 2.0, "task": "series"}


@cache
def run(cell: str, layers: int) -> tuple[Reference, Paths]:
    rng = np.random.default_rng(layers)
    parts = ("h", "c") if cell == "lstm" else ("h",)
    initial = {f"l{layer}.{part}": rng.normal(size=(B, H)) for layer in range(layers) for part in parts}
    kept = reference(parse(SMALL | CELL_OPTIONS[cell] | {"layers": layers}),
                     Given(initial_state=initial, mask=[0, 1, 1, 0, 1, 1, 1]))
    return kept, paths(kept)


def ways(kept: Reference, key: tuple[str, bool], t: int, b: int) -> dict[str, np.ndarray]:
    """Returns what comes to the state at step t by each way, (H,), by moving one unit and opening one way."""
    x, top = kept.x, kept.tape.layers[-1]
    w = layer_params(x.params, x.network.layers - 1)
    read, data = (x.params["W_hy"], x.params["b_y"]), x.data
    rest = (top.xs[t + 1 :, :, b], data.targets[t + 1 :, :, b], data.counts[t + 1 :])
    state, gates = top.states[t, :, b], GATES[key[0]]
    out: dict[str, np.ndarray] = {}
    for way in (*WAYS[key[0]], "readout", "highway"):
        part = np.zeros(H)
        for unit in range(H):
            s = state[-H:].astype(complex)  # c of the LSTM, h of the others
            s[unit] += 1j * EPS
            moved = sigmoid(top.pre[t, 3 * H :, b]) * np.tanh(s) if key[0] == "lstm" else s
            hs, kept_still = [state[:H]] * gates, state[-H:]
            if way == "highway":
                kept_still = s
            elif way == "readout":
                part[unit] = data.counts[t] * read_loss(read, moved, data.targets[t, :, b]).imag / EPS
                continue
            else:
                hs[WAYS[key[0]].index(way)] = moved
            part[unit] = np.imag(later_losses(key, w, read, *rest, hs, kept_still)) / EPS
        out[way] = part
    return out if key[0] != "rnn" else {name: part for name, part in out.items() if name != "highway"}


def read_loss(read: tuple[np.ndarray, np.ndarray], h: np.ndarray, target: np.ndarray) -> complex:
    return complex(0.5 * np.square(read[0] @ h + read[1] - target).sum())


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("key", CELL_KEYS, ids=CELL_IDS)
def test_each_way_is_what_it_brings_alone(key: tuple[str, bool], layers: int) -> None:
    kept, found = run(CELL_IDS[CELL_KEYS.index(key)], layers)
    whole = kept.gradients.states[-1][:, -H:]
    for t in range(T):
        parts = [ways(kept, key, t, b) for b in range(B)]
        assert set(parts[0]) == set(found.shares)
        for b in range(B):
            assert relative(sum(parts[b].values()), whole[t, :, b]) <= 1e-12, "the ways are all there is"
        for way, share in found.shares.items():
            truth = sum(parts[b][way] @ whole[t, :, b] for b in range(B)) / np.square(whole[t]).sum()
            assert share[t] == pytest.approx(truth, abs=1e-12), (way, t)


@pytest.mark.parametrize("loss_at", ["every", "last"])
@pytest.mark.parametrize("gain", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_shares_sum_to_one_at_every_step(cell: str, layers: int, gain: float, loss_at: str) -> None:
    kept = reference(parse({"steps": 30, "hidden": 6, "batch": 3, "loss_at": loss_at, "layers": layers, "gain": gain}
                           | CELL_OPTIONS[cell]))
    with quiet_single_thread():
        found = paths(kept)
    part = slice(6, None) if cell == "lstm" else slice(0, 6)
    there = np.abs(kept.gradients.states[-1][:, part]).max(axis=(1, 2)) > 0
    total = sum(found.shares.values())
    assert np.abs(total[there] - 1).max() <= 1e-12
    assert np.isnan(total[~there]).all()
    assert there.all() or gain == 0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_shares_do_not_depend_on_the_gradients_size(scale: float) -> None:
    plain, scaled = (reference(parse(SMALL | {"cell": "lstm"})) for _ in range(2))
    scaled.tape.dy[...] *= scale
    with quiet_single_thread():
        ours, theirs = paths(plain).shares, paths(scaled).shares
    assert all(np.allclose(ours[name], theirs[name], rtol=1e-12) for name in ours)


@pytest.mark.parametrize("loss_at", ["every", "last"])
def test_the_rule_of_1997_is_the_product_of_the_forget_gates(loss_at: str) -> None:
    kept = reference(parse({**SMALL, "cell": "lstm", "loss_at": loss_at}))
    found, tape = paths(kept), kept.tape.layers[0]
    f, o = (sigmoid(tape.pre[:, n * H : (n + 1) * H]) for n in (1, 3))
    s = int(np.flatnonzero(kept.x.data.counts)[-1])
    c = tape.states[:, H:]
    at_s = np.einsum("oh,ob->hb", kept.x.params["W_hy"], kept.tape.dy[s]) * o[s] * (1 - np.tanh(c[s]) ** 2)
    for t in range(T):
        if t > s:
            assert np.isnan(found.rule[t])
            assert np.isnan(found.truth[t])
            continue
        rule = at_s * np.prod(f[t + 1 : s + 1], axis=0)
        assert found.rule[t] == pytest.approx(np.linalg.norm(rule, axis=0).mean(), rel=1e-12)
        assert found.truth[t] == pytest.approx(kept.credit.c[-1, t], rel=1e-12)
    assert found.rule[s] == pytest.approx(found.truth[s], rel=1e-12), "at its own step the rule is the truth"
    assert found.factor == pytest.approx(found.truth[0] / found.rule[0], rel=1e-14)


def test_without_the_gates_the_rule_is_the_truth() -> None:
    """W_hh = 0 leaves the highway alone."""
    found = paths(reference(parse({**SMALL, "cell": "lstm", "gain": 0, "loss_at": "last"})))
    assert np.allclose(found.rule[:6], found.truth[:6], rtol=1e-12)
    assert found.factor == pytest.approx(1, rel=1e-12)
    assert np.allclose(found.shares["highway"][:5], 1, rtol=1e-12)


@pytest.mark.parametrize(("cell", "layers", "of"), [("rnn", 1, "h"), ("gru", 1, "h"), ("gru", 2, "h"),
                                                    ("lstm", 1, "c"), ("lstm", 2, "c")])
def test_what_is_split_and_where_there_is_a_rule(cell: str, layers: int, of: str) -> None:
    _, found = run(cell, layers)
    assert found.of == of
    assert (found.rule is not None) == (cell == "lstm" and layers == 1)
    assert np.isnan(found.factor) == (found.rule is None)
    assert ("product of the forget gates" in found.sentence) == (found.rule is not None)


def test_no_gradient_no_shares() -> None:
    kept = reference(parse(SMALL | {"cell": "gru"}))
    kept.tape.dy[...] = 0
    found = paths(kept)
    assert all(np.isnan(share).all() for share in found.shares.values())
    assert "nothing to split" in found.sentence
