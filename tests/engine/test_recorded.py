"""Traces read back: whole and in pieces, in either order, packed or not; and what is shown of long ones."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

import engine
from engine.recorded import (
    limits,
    outcome_of,
    parse_expected,
    reach_of,
    read_trace,
    recorded,
    source_of,
    trace_of,
    write_trace,
)
from engine.recorded import title as title_of
from tests.engine.recorded_traces import LSTM, RNN, arrays, every, meta

T = 12
FULL = {"lstm.l0.h": every(4, T), "lstm.l0.c": every(4, T)}


def whole(rng: np.random.Generator, T: int = T, losses: list[int] | None = None) -> dict[str, np.ndarray]:
    """Returns every array that a trace can have."""
    found = arrays(LSTM, FULL, T, losses, credit=lambda lag: 0.5**lag)
    P = len(LSTM)
    return found | {
        "state": rng.random((P, T)), "grad": np.where(rng.random((P, T)) < 0.2, np.nan, rng.random((P, T))),
        "norm_before": rng.random((3, 2)), "norm_after": rng.random((3, 2)), "memory": np.arange(3) + 1000,
        "states_0": rng.normal(size=(T, 2, 4)), "states_1": rng.normal(size=(T, 2, 4)),
    }


def described(**more: Any) -> dict[str, Any]:
    return meta(LSTM, [0, 4, 8], {"style": "window", "k": 4}, parameters=["W_ih", "W_hh"], **more)


def file_of(fields: dict[str, Any], given: dict[str, np.ndarray], packed: bool = False) -> bytes:
    """Returns the file as NumPy itself writes it."""
    out = io.BytesIO()
    text = np.frombuffer(json.dumps(fields).encode(), np.uint8)
    (np.savez_compressed if packed else np.savez)(out, meta=text, **given)  # type: ignore[arg-type]
    return out.getvalue()


def same(a: Any, b: Any) -> None:
    """Two recordings are equal, array by array."""
    assert (a.steps, a.stride, a.about.rows, a.about.declared) == (b.steps, b.stride, b.about.rows, b.about.declared)
    for name in ("state", "grad"):
        assert getattr(a, name).keys() == getattr(b, name).keys()
        assert all(np.array_equal(getattr(a, name)[row], getattr(b, name)[row], equal_nan=True) for row in a.about.rows)
    assert all(np.array_equal(a.credit[row].h, b.credit[row].h, equal_nan=True) for row in a.credit)
    for name in ("first", "gaps", "felt", "losses"):
        assert np.array_equal(getattr(a.reached, name), getattr(b.reached, name)), name
    for name in ("value", "edge", "norm_before", "norm_after", "memory"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert np.array_equal(a.loss.per_step, b.loss.per_step, equal_nan=True)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4"])
def test_a_file_is_read_as_its_arrays_are(packed: bool, order: Any, kind: str) -> None:
    given = {name: np.array(array.astype(kind) if array.dtype.kind == "f" else array, order=order)
             for name, array in whole(np.random.default_rng(0)).items()}
    plain = recorded(json.dumps(described()).encode(), given)
    same(read_trace(source_of(file_of(described(), given, packed))), plain)
    assert plain.grad["lstm.l0.h"].shape == (T,)
    assert np.array_equal(plain.grad["lstm.l0.c"], given["grad"][0].astype(float), equal_nan=True)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("piece", [1, 7, 64, 1000])
def test_pieces_of_any_size_give_the_same(order: Any, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: np.array(array, order=order) for name, array in whole(np.random.default_rng(1)).items()}
    file, truth = file_of(described(), given, True), recorded(json.dumps(described()).encode(), given)
    monkeypatch.setattr(limits, "CHUNK_BYTES", piece)
    monkeypatch.setattr(limits, "MOST_COLUMNS", 5)
    coarse = recorded(json.dumps(described()).encode(), given)
    same(read_trace(source_of(file)), coarse)
    assert coarse.stride == 3
    assert np.array_equal(coarse.reached.first, truth.reached.first)  # type: ignore[union-attr]
    by_three = given["state"].reshape(2, 4, 3).max(axis=2)
    assert np.array_equal(np.stack(list(coarse.state.values())), by_three)
    gradient = given["grad"].reshape(2, 4, 3)
    assert np.array_equal(np.stack(list(coarse.grad.values())), np.fmax.reduce(gradient, axis=2), equal_nan=True)


def test_a_million_steps_are_shown_in_two_thousand_columns() -> None:
    steps = 1_000_000
    losses = np.array([999, 500_000, 999_999])
    connected = np.zeros((1, 3, steps), np.uint8)
    for r, s in enumerate(losses):
        connected[0, r, s // 1000 * 1000 : s + 1] = 1
    given = {"loss": np.full(steps, 0.5, np.float32), "losses": losses, "connected": connected,
             "state": np.ones((1, steps), np.float32)}
    fields = meta(RNN, list(range(0, steps, 100_000)), {"style": "window", "k": 1000})
    found = outcome_of(read_trace(source_of(file_of(fields, given))))
    assert (found.recorded.steps, found.recorded.stride, found.recorded.columns) == (steps, 500, 2000)
    assert found.reach is not None
    assert found.reach.found.tolist() == [0, 500_000, 999_000]
    assert found.reach.agrees is True
    assert found.recorded.loss.total == steps / 2
    assert found.plan.reach.shape == (2000,)


def test_a_large_trace_that_packs_very_well_is_no_bomb() -> None:
    """What the taps write: connected and credit of many losses, zeros for the most part, packed a thousand to one."""
    steps, losses = 20_000, np.arange(19, 20_000, 20)
    connected = np.zeros((1, len(losses), steps), np.uint8)
    for r, s in enumerate(losses):
        connected[0, r, s - 19 : s + 1] = 1
    given = {"loss": np.ones(steps, np.float32), "losses": losses, "connected": connected,
             "credit": connected.astype(np.float16)}
    file = file_of(meta(RNN, every(20, steps, 0), {"style": "window", "k": 20}), given, packed=True)
    assert connected.size > limits.FREE_BYTES
    assert len(file) * limits.MOST_RATIO < 3 * connected.size
    found = reach_of(read_trace(source_of(file)))
    assert found is not None
    assert found.agrees is True


CONFIGS: list[dict[str, Any]] = [
    {"style": "window", "k": 20}, {"style": "window", "k": 7, "cell": "gru", "value": "reset"}, {"style": "full"},
    {"style": "sliding", "k": 9, "cell": "rnn"}, {"style": "k1k2", "k1": 4, "k2": 11}, {"layers": 2, "k": 15},
    {"style": "window", "k": 20, "gradient": "pass"}, {"style": "sliding", "k": 1}, {"steps": 30, "loss_at": "last"},
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_engines_own_results_come_back_as_they_are(config: dict[str, Any]) -> None:
    found = engine.analyze(engine.parse({"hidden": 6, "batch": 2, **config}))
    fields, given = trace_of(found)
    back = read_trace(source_of(write_trace(fields, given)))
    reach = reach_of(back)
    assert reach is not None
    assert found.credit is not None
    assert reach.agrees is True
    assert np.array_equal(reach.found, found.plan.reach[found.credit.loss_steps])
    assert np.array_equal(back.grad["h"], found.truncated.h)
    assert np.array_equal(back.state["h"], found.states.h)
    assert np.array_equal(back.loss.per_step, found.loss.per_step, equal_nan=True)
    kept = np.arange(back.steps) >= found.plan.reach[found.credit.loss_steps][:, None]
    assert np.array_equal(back.credit["h"].h, np.where(kept, found.credit.h, 0))
    assert list(back.norm_before[0]) == list(found.truncated.blocks.values())  # type: ignore[index]
    assert np.array_equal(outcome_of(back).plan.reach, found.plan.reach)
    assert np.array_equal(outcome_of(back).plan.cut, found.plan.cut)


@pytest.mark.parametrize("config", CONFIGS[:6], ids=str)
def test_the_style_is_found_without_being_told(config: dict[str, Any]) -> None:
    found = engine.analyze(engine.parse({"hidden": 4, "batch": 1, **config}))
    fields, given = trace_of(found)
    reach = reach_of(recorded(json.dumps(fields | {"declared": None}).encode(), given))
    assert reach is not None
    assert reach.agrees is None
    if config.get("value") == "reset":
        assert reach.fits_title == "full BPTT"  # each window is a sequence of its own
    else:
        assert reach.fits_title == found.plan.title.split("), ")[0] + ")" * ("(" in found.plan.title)


def test_random_cuts_are_not_declared_and_a_credit_is_needed() -> None:
    found = engine.analyze(engine.parse({"style": "random", "p": 0.1, "hidden": 4}))
    assert trace_of(found)[0]["declared"] is None
    assert trace_of(engine.analyze(engine.parse({"hidden": 4}), certify=False))[0]["verified"] is None
    with pytest.raises(engine.InputError, match="must be floats, integers or booleans"):
        recorded(json.dumps(meta(RNN)).encode(), {"loss": np.ones(3, complex)})
    with pytest.raises(engine.InputError, match="must hold credit"):
        trace_of(engine.analyze(engine.parse({"hidden": 4}), include=frozenset()))


@pytest.mark.parametrize(("text", "title"), [
    ("window:20", "window(20)"), ("sliding:5,carry", "sliding(5)"), ("k1k2:10,20,reset", "k1k2(10, 20)"),
    ("full", "full BPTT"), (" full,carry ", "full BPTT"),
])  # fmt: skip
def test_what_can_be_expected(text: str, title: str) -> None:
    assert title_of(parse_expected(text)) == title


NO_TRUNCATION = ["", "window", "window:", "window:0", "window:20,30", "k1k2:10", "k1k2:20,10", "full:3",
                 "window:20,keep", "none", "window:9999999", "window:-1", "WINDOW:20", "window:2e1"]


@pytest.mark.parametrize("text", NO_TRUNCATION)
def test_what_cannot_be_expected(text: str) -> None:
    with pytest.raises(engine.InputError, match="expect"):
        parse_expected(text)


def test_a_shorter_last_window_begins_a_new_count() -> None:
    """Two epochs of 50 steps by windows of 20: 20, 20, 10, and again, with the state carried."""
    starts = [0, 20, 40, 50, 70, 90]
    cuts = {"rnn.l0.h": starts[1:]}
    given = arrays(RNN, cuts, 100)
    found = reach_of(recorded(json.dumps(meta(RNN, starts, {"style": "window", "k": 20})).encode(), given))
    assert found is not None
    assert found.agrees is True
    halves = reach_of(recorded(json.dumps(meta(RNN, every(10, 100, 0), {"style": "window", "k": 20})).encode(),
                               arrays(RNN, {"rnn.l0.h": every(10, 100)}, 100)))
    assert halves is not None
    assert halves.agrees is False
